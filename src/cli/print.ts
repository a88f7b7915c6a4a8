import { printableName } from "../bytes/index.ts";
import type { CommandContext } from "./command.ts";
import { noProgress, ProgressBar, ProgressLines, type ProgressDisplay } from "./progress-bar.ts";

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
  for (const warning of warnings) await context.stderr.write(`${label} ${printableName(warning)}\n`);
}
