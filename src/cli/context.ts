import type { Output } from "./output.ts";
import { noProgress, ProgressBar, ProgressLines, type ProgressDisplay } from "./progress-bar.ts";

/** The world as a command sees it: nothing else of the process is touched by one. */
export interface CommandContext {
  /** For results. */
  readonly stdout: Output;
  /** For messages and progress. */
  readonly stderr: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Given when the user interrupts. */
  readonly signal: AbortSignal;
}

/** Shows progress for as long as it lives: a bar on a terminal, lines with `--json`, otherwise nothing. */
export function showProgress(context: CommandContext, options: { readonly json: boolean }): ProgressDisplay {
  if (options.json) return new ProgressLines(context.stderr);
  return context.stderr.isTerminal ? new ProgressBar(context.stderr) : noProgress;
}

/** Prints one JSON document, the only thing on standard output with `--json`. */
export async function printJson(context: CommandContext, document: unknown): Promise<void> {
  await context.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
}

/** Prints lines on standard output. */
export async function printLines(context: CommandContext, lines: readonly string[]): Promise<void> {
  for (const line of lines) await context.stdout.write(`${line}\n`);
}

/** Prints what a user should know although all went well. */
export async function printWarnings(context: CommandContext, warnings: readonly string[]): Promise<void> {
  const label = context.stderr.style("yellow", "warning:");
  for (const warning of warnings) await context.stderr.write(`${label} ${warning}\n`);
}
