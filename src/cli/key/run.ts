import { availableParallelism } from "node:os";
import type { StartedDisk } from "../../disk/index.ts";
import { runKey } from "../../key/index.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson } from "../print.ts";
import { announceMachine } from "../announce-machine.ts";

/** Enough for most; more would only slow emulation down. */
const cpuLimit = 2;
const untilLimitSeconds = 300;

/** `holdfast key run` */
export const run = defineCommand({
  words: ["key", "run"],
  summary: "try a key in a virtual machine, its menu in this terminal",
  description: `The key hangs on USB as a stick would, and stays as it is: what the machine writes is forgotten. The menu is on the serial port too, which is this terminal; Ctrl-A X switches the machine off. Kernels that the key itself starts speak there as well; what an ISO's own menu starts may not.

With --until the command is a test: status 0 once the text was seen, 1 where the time is over or the machine goes off before.`,
  operands: { key: { arity: "one", help: "the key" } },
  options: {
    uefi: { kind: "flag", help: "start it by UEFI; else by BIOS" },
    choose: {
      kind: "string",
      value: "ENTRY",
      help: "start this entry: the name of an ISO as key list shows it, with #2 behind it for its second entry",
    },
    until: { kind: "string", value: "TEXT", help: "switch it off once its serial port has said this" },
    "time-limit": {
      kind: "number",
      value: "SECONDS",
      minimum: 1,
      maximum: 86_400,
      help: `switch it off after so long; with --until ${untilLimitSeconds} unless told`,
    },
    screenshot: {
      kind: "string",
      value: "PNG",
      help: "keep what its screen shows when the text is seen or the time is over",
    },
    memory: { kind: "size", short: "m", value: "SIZE", default: 2 ** 30, help: "its memory, 1GiB unless told" },
    cpus: {
      kind: "number",
      value: "N",
      minimum: 1,
      maximum: 64,
      help: `its processors; else as many as here, up to ${cpuLimit}`,
    },
    disk: {
      kind: "choice",
      value: "BUS",
      choices: ["usb", "virtio", "ide", "scsi", "nvme"],
      default: "usb",
      help: "what the key hangs on, usb unless told",
    },
    "no-network": { kind: "flag", help: "without a network; else it reaches what this user reaches" },
    window: { kind: "flag", help: "show its screen in a window" },
    "no-acceleration": { kind: "flag", help: "emulate its processor in any case" },
    json: { kind: "flag", help: `${jsonOption.help}; what the serial port says goes to standard error` },
  },
  examples: [
    { line: "holdfast key run key.img", help: "see its menu" },
    { line: 'holdfast key run key.img --uefi --choose debian-live-12.iso --until "login:"', help: "a test" },
  ],
  async run(context, args) {
    const isTest = args.until !== undefined || args.timeLimit !== undefined || args.json;
    const inTerminal = !isTest && process.stdin.isTTY && context.stdout.isTerminal;
    const timeLimit = args.timeLimit ?? (args.until === undefined ? undefined : untilLimitSeconds);
    const serial = args.json ? context.stderr : context.stdout;
    let started: StartedDisk | undefined;
    const startedAtMs = performance.now();
    const work = () =>
      runKey(
        {
          path: args.key,
          firmware: args.uefi ? "uefi" : "bios",
          secureBoot: false,
          memoryBytes: args.memory,
          cpus: args.cpus ?? Math.min(cpuLimit, availableParallelism()),
          bus: args.disk,
          window: args.window,
          accelerate: !args.noAcceleration,
          inTerminal,
          env: context.env,
          ...(args.choose === undefined ? {} : { choose: args.choose }),
          ...(args.noNetwork ? {} : { network: { forwards: [] } }),
          ...(args.until === undefined ? {} : { until: args.until }),
          ...(timeLimit === undefined ? {} : { timeLimitMs: timeLimit * 1000 }),
          ...(args.screenshot === undefined ? {} : { screenshot: args.screenshot }),
        },
        {
          signal: context.signal,
          onStart(one) {
            started = one;
            void announceMachine(context, one, inTerminal);
          },
          onSerial: (bytes) => serial.write(bytes),
        },
      );
    const end = await (inTerminal ? context.lendTerminal(work) : work());
    const seconds = Math.round(performance.now() - startedAtMs) / 1000;
    if (args.json) return printJson(context, { end, ...started, seconds });
  },
});
