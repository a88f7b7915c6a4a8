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

const interrupt = "\u0003";
const erasing = ["\u0008", "\u007f"];

/** The same, without showing what is typed. */
export async function askSecret(
  context: Pick<CommandContext, "stderr" | "signal">,
  question: string,
): Promise<string | undefined> {
  const { stdin } = process;
  if (!stdin.isTTY || !context.stderr.isTerminal) return undefined;
  stdin.setRawMode(true).setEncoding("utf8"); // from before the question on
  await context.stderr.write(question);
  try {
    let typed: string[] = [];
    for await (const text of stdin.iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
      for (const character of text) {
        if (character === "\r" || character === "\n") return typed.length === 0 ? undefined : typed.join("");
        if (character === interrupt) throw new Failure("interrupted", "interrupted");
        if (erasing.includes(character)) typed = typed.slice(0, -1);
        else typed.push(character);
      }
    }
    return undefined;
  } finally {
    stdin.setRawMode(false).pause();
    await context.stderr.write("\n");
  }
}
