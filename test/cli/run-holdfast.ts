import { spawn } from "node:child_process";
import * as path from "node:path";

const mainPath = path.join(import.meta.dirname, "../../src/cli/main.ts");

export interface Transcript {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** Runs `holdfast` with words as a user would from a shell, in a plain environment. */
export function runHoldfast(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Transcript> {
  return transcriptOf(startScript(mainPath, words, env));
}

/** Starts a TypeScript file with this Node. */
export function startScript(script: string, words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawn(process.execPath, [script, ...words], {
    env: { PATH: process.env["PATH"], TZ: "UTC", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Everything that a started process prints, and its exit status. */
export async function transcriptOf(child: ReturnType<typeof startScript>): Promise<Transcript> {
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
