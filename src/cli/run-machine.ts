import { availableParallelism } from "node:os";
import { Failure } from "../base/index.ts";
import type { RunDiskOptions, RunDiskRequest, RunEnd, StartedDisk } from "../disk/index.ts";
import { jsonOption, type CommandContext } from "./command.ts";
import { printJson, printWarnings } from "./print.ts";

/** Enough for most; more would only slow emulation down. */
const cpuLimit = 2;
const untilLimitSeconds = 300;

/** What every command that starts a virtual machine takes. */
export const machineOptions = {
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
  "no-network": { kind: "flag", help: "without a network; else it reaches what this user reaches" },
  window: { kind: "flag", help: "show its screen in a window" },
  "no-acceleration": { kind: "flag", help: "emulate its processor in any case" },
  json: { kind: "flag", help: `${jsonOption.help}; what the serial port says goes to standard error` },
} as const;

interface MachineArguments {
  readonly until?: string | undefined;
  readonly timeLimit?: number | undefined;
  readonly screenshot?: string | undefined;
  readonly memory: number;
  readonly cpus?: number | undefined;
  readonly window: boolean;
  readonly noAcceleration: boolean;
  readonly json: boolean;
}

/** What these options say of a machine. */
export type MachineWords = Pick<
  RunDiskRequest,
  "until" | "timeLimitMs" | "screenshot" | "memoryBytes" | "cpus" | "window" | "accelerate" | "inTerminal" | "env"
>;

/** Starts a machine as the options say, its serial port in this terminal, and tells of its end. */
export async function runMachine(
  context: CommandContext,
  args: MachineArguments,
  start: (words: MachineWords, options: RunDiskOptions) => Promise<RunEnd>,
): Promise<void> {
  if (args.screenshot !== undefined && args.until === undefined && args.timeLimit === undefined) {
    throw new Failure("usage", "cannot take a screenshot: nothing says when", { hint: "add --until or --time-limit" });
  }
  const words = wordsOf(context, args);
  const serial = args.json ? context.stderr : context.stdout;
  let started: StartedDisk | undefined;
  const startedAtMs = performance.now();
  const work = () =>
    start(words, {
      signal: context.signal,
      onStart(one) {
        started = one;
        void announce(context, one, words.inTerminal);
      },
      // A menu that moves the cursor about would wipe out what this terminal shows already.
      onSerial: (bytes, seen) => serial.write(serial.isTerminal ? seen : bytes),
    });
  const end = await (words.inTerminal ? context.lendTerminal(work) : work());
  const seconds = Math.round(performance.now() - startedAtMs) / 1000;
  if (args.json) return printJson(context, { end, ...started, seconds });
}

function wordsOf(context: CommandContext, args: MachineArguments): MachineWords {
  const { until, screenshot } = args;
  const isTest = until !== undefined || args.timeLimit !== undefined || args.json;
  const timeLimit = args.timeLimit ?? (until === undefined ? undefined : untilLimitSeconds);
  return {
    memoryBytes: args.memory,
    cpus: args.cpus ?? Math.min(cpuLimit, availableParallelism()),
    window: args.window,
    accelerate: !args.noAcceleration,
    inTerminal: !isTest && process.stdin.isTTY && context.stdout.isTerminal,
    env: context.env,
    ...(until === undefined ? {} : { until }),
    ...(timeLimit === undefined ? {} : { timeLimitMs: timeLimit * 1000 }),
    ...(screenshot === undefined ? {} : { screenshot }),
  };
}

/** Says how a machine runs, where someone watches. */
async function announce(context: CommandContext, { firmware, acceleration }: StartedDisk, inTerminal: boolean) {
  const { stderr } = context;
  if (acceleration === "v86") {
    await printWarnings(context, [
      "QEMU is not installed; v86 runs the machine as far as it can: 32 bits, slowly, without a network",
    ]);
  } else if (stderr.isTerminal) {
    const how = acceleration === "emulation" ? "emulated" : `with ${acceleration}`;
    const end = inTerminal ? "; Ctrl-A X switches it off" : "";
    const by = firmware === "uefi" ? "UEFI" : "BIOS";
    await stderr.write(`${stderr.style("dim", `starting by ${by}, ${how}${end}`)}\n`);
  }
}
