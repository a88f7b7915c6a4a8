import { availableParallelism } from "node:os";
import { Failure } from "../../base/index.ts";
import { runDisk, type StartedDisk } from "../../disk/index.ts";
import { announceMachine } from "../announce-machine.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson } from "../print.ts";
import { parseForward } from "./port-forward.ts";

/** Enough for most; more would only slow emulation down. */
const cpuLimit = 2;
const untilLimitSeconds = 300;

/** `holdfast disk run` */
export const run = defineCommand({
  words: ["disk", "run"],
  summary: "start a disk in a virtual machine, its serial port in this terminal",
  description: `QEMU runs it, as this user. The processor's own virtualisation is used where it is seen to work; elsewhere the machine is emulated, which takes longer. Without --snapshot what the machine writes stays on the disk, which nothing else may use meanwhile.

In a terminal what is typed goes to the serial port, and Ctrl-A X switches the machine off. With --until the command is a test: status 0 once the text was seen, 1 where the time is over or the machine goes off before.`,
  operands: { file: { arity: "one", help: "the disk: a file, a device, or the image of a disc" } },
  options: {
    snapshot: { kind: "flag", help: "leave the disk as it is: what the machine writes is forgotten" },
    bios: { kind: "flag", help: "start it by BIOS; without this and --uefi, by what it was made for" },
    uefi: { kind: "flag", help: "start it by UEFI" },
    "secure-boot": { kind: "flag", help: "UEFI that starts only what Microsoft or the distribution has signed" },
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
      choices: ["virtio", "ide", "scsi", "nvme", "usb", "cd"],
      help: "what the disk hangs on; else virtio for Linux, ide for others, cd for discs",
    },
    forward: {
      kind: "string",
      value: "HERE:THERE",
      repeatable: true,
      parse: parseForward,
      help: "lead a TCP port of this machine's loopback interface to one of its own: 2222:22",
    },
    "no-network": { kind: "flag", help: "without a network; else it reaches what this user reaches" },
    window: { kind: "flag", help: "show its screen in a window" },
    "no-acceleration": { kind: "flag", help: "emulate its processor in any case" },
    json: { kind: "flag", help: `${jsonOption.help}; what the serial port says goes to standard error` },
  },
  examples: [
    { line: "holdfast disk run big", help: "as if it were switched on" },
    {
      line: "holdfast disk run big --snapshot --forward 2222:22",
      help: "try something; then: ssh -p 2222 root@localhost",
    },
    { line: 'holdfast disk run big --snapshot --uefi --until "login:" && echo it starts', help: "a test" },
  ],
  async run(context, args) {
    if (args.bios && (args.uefi || args.secureBoot)) {
      throw new Failure("usage", `cannot use --bios with --${args.uefi ? "uefi" : "secure-boot"}: choose one`);
    }
    if (args.screenshot !== undefined && args.until === undefined && args.timeLimit === undefined) {
      throw new Failure("usage", "cannot take a screenshot: nothing says when", {
        hint: "add --until or --time-limit",
      });
    }
    const isTest = args.until !== undefined || args.timeLimit !== undefined || args.json;
    const inTerminal = !isTest && process.stdin.isTTY && context.stdout.isTerminal;
    const timeLimit = args.timeLimit ?? (args.until === undefined ? undefined : untilLimitSeconds);
    const serial = args.json ? context.stderr : context.stdout;
    let started: StartedDisk | undefined;
    const startedAtMs = performance.now();
    const work = () =>
      runDisk(
        {
          path: args.file,
          secureBoot: args.secureBoot,
          snapshot: args.snapshot,
          memoryBytes: args.memory,
          cpus: args.cpus ?? Math.min(cpuLimit, availableParallelism()),
          window: args.window,
          accelerate: !args.noAcceleration,
          inTerminal,
          env: context.env,
          ...(args.bios ? { firmware: "bios" } : args.uefi ? { firmware: "uefi" } : {}),
          ...(args.disk === undefined ? {} : { bus: args.disk }),
          ...(args.noNetwork ? {} : { network: { forwards: args.forward } }),
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
          // A menu that moves the cursor about would wipe out what this terminal shows already.
          onSerial: (bytes, seen) => serial.write(serial.isTerminal ? seen : bytes),
        },
      );
    const end = await (inTerminal ? context.lendTerminal(work) : work());
    const seconds = Math.round(performance.now() - startedAtMs) / 1000;
    if (args.json) return printJson(context, { end, ...started, seconds });
  },
});
