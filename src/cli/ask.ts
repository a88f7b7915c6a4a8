import * as readline from "node:readline/promises";
import { Failure } from "../base/index.ts";
import type { CommandContext } from "./command.ts";

/** What a user types in answer to a question; undefined where there is no terminal to ask at, or nothing was typed. */
export async function ask(
  context: Pick<CommandContext, "stderr" | "signal">,
  question: string,
): Promise<string | undefined> {
  if (!process.stdin.isTTY || !context.stderr.isTerminal) return undefined;
  await context.stderr.write(question);
  const lines = readline.createInterface({ input: process.stdin });
  try {
    const answer = await new Promise<string>((resolve, reject) => {
      lines.once("line", resolve);
      lines.once("close", () => resolve(""));
      const stop = (): void => reject(new Failure("interrupted", "interrupted"));
      context.signal.addEventListener("abort", stop, { once: true });
    });
    return answer === "" ? undefined : answer;
  } finally {
    lines.close();
  }
}
