import { exitStatusOf, Failure } from "../../src/base/index.ts";
import { commands } from "../../src/cli/commands.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import { plain, type Output } from "../../src/cli/output.ts";
import type { Transcript } from "./run-holdfast.ts";

/** Runs a command inside of this process, for tests of many: what it prints, and the exit status that it would have. */
export async function runWithin(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Transcript> {
  const [stdout, stderr] = [collect(), collect()];
  const lendTerminal = <T>(work: () => Promise<T>): Promise<T> => work();
  const context = { stdout, stderr, env, signal: new AbortController().signal, lendTerminal, commands };
  let status = 0;
  try {
    await dispatch(words, context);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    status = exitStatusOf(error);
    await stderr.write(`holdfast: ${error.message}\n${error.hint === undefined ? "" : `hint: ${error.hint}\n`}`);
  }
  return { stdout: stdout.text(), stderr: stderr.text(), status };
}

function collect(): Output & { text(): string } {
  const parts: string[] = [];
  return {
    isTerminal: false,
    columns: 80,
    style: plain,
    write: async (data) => void parts.push(typeof data === "string" ? data : Buffer.from(data).toString("utf8")),
    flush: async () => undefined,
    text: () => parts.join(""),
  };
}
