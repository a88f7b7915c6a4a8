import type { CommandContext } from "./command.ts";
import { findCommand } from "./find-command.ts";
import { parseArguments } from "./parse-arguments.ts";
import { version } from "./version.ts";

/** Runs what the words after `holdfast` say. Throws what the command throws, and `usage` failures of its own. */
export async function dispatch(words: readonly string[], context: CommandContext): Promise<void> {
  const [first] = words;
  if (first === undefined || first === "--help" || first === "-h") return printHelp([], context);
  if (first === "--version" || first === "-V") return context.stdout.write(`holdfast ${version()}\n`);
  if (first === "help") return printHelp(words.slice(1), context);
  const found = findCommand(context.commands, words);
  if (found.kind === "group") return printHelp(found.words, context);
  const command = await found.entry.load();
  const args = parseArguments(command, found.rest);
  if (args === "help") return printHelp(found.entry.words, context);
  await command.run(context, args);
}

async function printHelp(words: readonly string[], context: CommandContext): Promise<void> {
  const { commandHelp, groupHelp, mainHelp } = await import("./help.ts");
  const { commands, stdout } = context;
  const layout = { columns: stdout.columns, style: stdout.style };
  const [first = "help"] = words;
  if (first === "help" || first.startsWith("-")) return context.stdout.write(await mainHelp(commands, layout));
  const found = findCommand(context.commands, words);
  const text =
    found.kind === "group"
      ? await groupHelp(commands, found.words, layout)
      : commandHelp(await found.entry.load(), layout);
  await context.stdout.write(text);
}
