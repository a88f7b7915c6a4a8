import { availableParallelism } from "node:os";
import * as path from "node:path";
import { bootBackup } from "../../backup/index.ts";
import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import type { CommandContext } from "../command.ts";
import { printJson, printLines } from "../print.ts";
import { backupOpener, type LookArguments } from "./place-in-backup.ts";

const cpuLimit = 2;
const usualLimitSeconds = 600;
const usualMemoryBytes = 2 ** 30;

/** What `backup check --boot` takes. */
export const bootOptions = {
  boot: { kind: "flag", help: "instead, start it in a virtual machine: does it come up?" },
  until: { kind: "string", value: "TEXT", help: "with --boot: only this counts, on its serial port or screen" },
  "time-limit": {
    kind: "number",
    value: "SECONDS",
    minimum: 1,
    maximum: 86_400,
    default: usualLimitSeconds,
    help: `with --boot: give up after so long, ${usualLimitSeconds} unless told`,
  },
  screenshot: { kind: "string", value: "PNG", help: "with --boot: keep what its screen shows at the end" },
  memory: {
    kind: "size",
    short: "m",
    value: "SIZE",
    default: usualMemoryBytes,
    help: "with --boot: the machine's memory, 1GiB unless told",
  },
  firmware: {
    kind: "choice",
    value: "KIND",
    choices: ["bios", "uefi"],
    help: "with --boot: bios or uefi; else what the disk was made for",
  },
  "no-acceleration": { kind: "flag", help: "with --boot: emulate the processor in any case" },
} as const;

interface BootArguments extends LookArguments {
  readonly backup: string;
  readonly until?: string | undefined;
  readonly timeLimit: number;
  readonly screenshot?: string | undefined;
  readonly memory: number;
  readonly firmware?: "bios" | "uefi" | undefined;
  readonly noAcceleration: boolean;
  readonly json: boolean;
}

/** Starts a backup, and says whether it comes up. */
export async function checkBoot(context: CommandContext, args: BootArguments): Promise<void> {
  const { backup, until, firmware, screenshot } = args;
  await using reader = await backupOpener(context, args)(backup);
  const booted = await bootBackup(
    {
      backup,
      reader,
      ...(firmware === undefined ? {} : { firmware }),
      ...(until === undefined ? {} : { until }),
      ...(screenshot === undefined ? {} : { screenshot: path.resolve(screenshot) }),
      timeLimitMs: args.timeLimit * 1000,
      memoryBytes: args.memory,
      cpus: Math.min(cpuLimit, availableParallelism()),
      accelerate: !args.noAcceleration,
      env: context.env,
    },
    { signal: context.signal },
  );
  if (args.json) await printJson(context, { backup, ...booted });
  const seen = printableName(booted.seen);
  if (!booted.isUp) throw new Failure("mismatch", `cannot start "${backup}": ${seen}`);
  const by = booted.firmware === "uefi" ? "UEFI" : "BIOS";
  if (!args.json) await printLines(context, [`it comes up, by ${by}, after ${booted.seconds} s: ${seen}`]);
}
