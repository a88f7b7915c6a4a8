import { spawn, type ChildProcessByStdio } from "node:child_process";
import * as path from "node:path";
import type { Readable, Writable } from "node:stream";

const mainPath = path.join(import.meta.dirname, "../../src/cli/main.ts");

export interface Transcript {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** Runs `holdfast` with words as a user would from a shell, in a plain environment, with `input` on its standard input. */
export function runHoldfast(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = "",
): Promise<Transcript> {
  const child = startHoldfast(words, env);
  child.stdin.on("error", () => undefined); // a command that fails early does not read it
  child.stdin.end(input);
  return transcriptOf(child);
}

/** Starts `holdfast` and leaves it running. */
export function startHoldfast(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return startScript(mainPath, words, env);
}

/** Starts a TypeScript file with this Node. */
export function startScript(script: string, words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return spawn(process.execPath, [script, ...words], {
    env: { PATH, TZ: "UTC", ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }), ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** Everything that a started process prints, and its exit status. */
export async function transcriptOf(
  child: ChildProcessByStdio<Writable | null, Readable, Readable>,
): Promise<Transcript> {
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return { stdout, stderr, status };
}
