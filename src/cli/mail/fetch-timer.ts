import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import { applyTimer } from "../../base/timer/index.ts";
import { planFetchTimer } from "../../mail/fetch/index.ts";
import type { CommandContext } from "../command.ts";
import { printJson, printLines } from "../print.ts";
import { startingWords, stepLines } from "../timer-text.ts";

interface TimerWords {
  readonly server: readonly string[];
  readonly file: string | undefined;
  readonly deliver: string | undefined;
  readonly folder: string | undefined;
  readonly keep: boolean;
  readonly every: number | undefined;
  readonly output: string | undefined;
  readonly cron: boolean;
  readonly removeTimer: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

const usualMs = 10 * 60_000;

/** Has this very command run regularly, or no longer. */
export async function installFetchTimer(context: CommandContext, args: TimerWords): Promise<void> {
  const file = args.file === undefined ? undefined : path.resolve(args.file);
  if (args.deliver !== undefined && /^(?:mbox|maildir):(?![~/])/.test(args.deliver)) {
    throw new Failure("usage", `cannot have mail delivered to "${args.deliver}" regularly: an absolute path is needed`);
  }
  const words = [
    ...startingWords(),
    "mail",
    "fetch",
    "--once",
    ...args.server,
    ...(file === undefined ? [] : ["--file", file]),
    ...(args.deliver === undefined ? [] : ["--deliver", args.deliver]),
    ...(args.folder === undefined ? [] : ["--folder", path.resolve(args.folder)]),
    ...(args.keep ? ["--keep"] : []),
  ];
  const steps = await planFetchTimer({
    words,
    ...(file === undefined ? {} : { file }),
    everyMs: args.every ?? usualMs,
    ...(args.cron ? { by: "cron" as const } : {}),
    scope: process.getuid?.() === 0 ? "system" : "user",
    env: context.env,
    ...(args.output === undefined ? {} : { output: path.resolve(args.output) }),
    isRemoval: args.removeTimer,
  });
  if (!args.dryRun) await applyTimer(steps, context.env);
  if (args.json) return printJson(context, { isDryRun: args.dryRun, ...steps });
  await printLines(context, stepLines(steps));
}
