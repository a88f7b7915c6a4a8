import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import type { CommandContext } from "./command.ts";
import { dispatch } from "./dispatch.ts";
import type { Output } from "./output.ts";

/** Says what comes, shows the command line, and runs it as it stands. */
export async function step(
  context: CommandContext,
  heading: string,
  words: readonly string[],
  inContext: CommandContext = context,
): Promise<void> {
  await say(context, heading, words);
  await dispatch(words, inContext);
}

export async function say({ stdout }: CommandContext, heading: string, words: readonly string[] = []): Promise<void> {
  await stdout.write(`\n${stdout.style("bold", heading)}\n`);
  if (words.length === 0) return;
  await stdout.write(`${stdout.style("dim", `$ holdfast ${words.map(quoted).join(" ")}`)}\n`);
}

/** For what the next step says anyway. */
export function silenced(output: Output): Output {
  const { isTerminal, columns, style } = output;
  return { isTerminal, columns, style, write: async () => {}, flush: async () => {} };
}

/** A word as a shell needs it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "holdfast-tour-"));
  return { path: folder, [Symbol.asyncDispose]: () => fs.rm(folder, { recursive: true, force: true }) };
}
