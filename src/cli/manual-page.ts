import { commandName, commandUsage, type Command, type Described } from "./command.ts";
import { operandsOf, optionsOf } from "./help.ts";

/** A manual page in the language of man(7), to be installed as `<name>.1`: `holdfast-disk-create.1`. */
export function manualPage(command: Command): { readonly fileName: string; readonly text: string } {
  const name = commandName(command.words).replaceAll(" ", "-");
  const { description, terms } = command;
  const blocks = [
    `.TH ${quoted(name.toUpperCase())} 1 "" holdfast "Holdfast Manual"`,
    section("NAME", `${roffText(name)} \\- ${roffText(command.summary)}`),
    section("SYNOPSIS", `.nf\n${roffText(commandUsage(command))}\n.fi`),
    description === undefined ? "" : section("DESCRIPTION", roffText(description).replaceAll("\n\n", "\n.PP\n")),
    definitions("OPERANDS", operandsOf(command)),
    definitions("OPTIONS", optionsOf(command)),
    definitions((terms?.heading ?? "").toUpperCase(), terms?.rows ?? []),
    section("EXAMPLES", command.examples.map(({ line, help }) => definition({ term: line, text: help })).join("\n")),
  ];
  return { fileName: `${name}.1`, text: `${blocks.filter((block) => block !== "").join("\n")}\n` };
}

function section(heading: string, text: string): string {
  return `.SH ${quoted(heading)}\n${text}`;
}

function definitions(heading: string, rows: readonly Described[]): string {
  return rows.length === 0 ? "" : section(heading, rows.map(definition).join("\n"));
}

function definition({ term, text }: Described): string {
  return `.TP\n\\fB${roffText(term.trim())}\\fR\n${roffText(text)}`;
}

/** A text in which roff sees no command: its escape character, its hyphens, and dots that begin a line. */
function roffText(text: string): string {
  return text
    .replaceAll("\\", String.raw`\e`)
    .replaceAll("-", String.raw`\-`)
    .replace(/^([.'])/gm, String.raw`\&$1`);
}

function quoted(text: string): string {
  return `"${roffText(text).replaceAll('"', '""')}"`;
}
