import {
  commandName,
  commandUsage,
  operandUsage,
  optionUsage,
  type Command,
  type CommandIndex,
  type Described,
  type Example,
  type Option,
} from "./command.ts";
import { entriesBelow, nextWords } from "./find-command.ts";
import type { Style } from "./output.ts";
import { textWidth, wrapText } from "./text-width.ts";

export interface HelpLayout {
  readonly columns: number;
  readonly style: Style;
}

const widestText = 100;
const indent = "  ";

/** The page of `holdfast --help`. */
export async function mainHelp(index: CommandIndex, layout: HelpLayout): Promise<string> {
  const { style } = layout;
  const singles = await Promise.all(
    index.entries.filter(({ words }) => words.length === 1).map((entry) => entry.load()),
  );
  const groups = index.groups.map((group): Described => {
    return { term: group.name, text: `${group.summary}\n${nextWords(index, [group.name]).join(" ")}` };
  });
  const others = singles.map((command): Described => ({ term: command.words.join(" "), text: command.summary }));
  return page([
    ["Holdfast keeps your own machines: big files as hard disks, without root."],
    [style("bold", "usage"), `${indent}holdfast <command> [words] [options]`],
    [style("bold", "commands"), ...describe([...groups, ...others], layout)],
    [`"holdfast help <command>" or "holdfast <command> --help" says more; "holdfast --version" names the version.`],
  ]);
}

/** The page of `holdfast disk --help`, or of `holdfast mail cert --help`. */
export async function groupHelp(index: CommandIndex, words: readonly string[], layout: HelpLayout): Promise<string> {
  const commands = await Promise.all(entriesBelow(index, words).map((entry) => entry.load()));
  const described = commands.map((command): Described => {
    return { term: command.words.slice(words.length).join(" "), text: command.summary };
  });
  const name = commandName(words);
  const group = index.groups.find((one) => one.name === words.join(" "));
  return page([
    wrapText(group === undefined ? name : `${name}: ${group.summary}`, textColumns(layout)),
    [layout.style("bold", "usage"), `${indent}${name} <verb> [words] [options]`],
    [layout.style("bold", "verbs"), ...describe(described, layout)],
    [`"${name} <verb> --help" says more.`],
  ]);
}

/** The page of `holdfast disk create --help`. */
export function commandHelp(command: Command, layout: HelpLayout): string {
  const { style } = layout;
  const bold = (text: string): string => style("bold", text);
  const columns = textColumns(layout);
  return page([
    wrapText(`${commandName(command.words)}: ${command.summary}`, columns),
    [bold("usage"), `${indent}${commandUsage(command)}`],
    command.description === undefined ? [] : wrapText(command.description, columns),
    section(bold("operands"), describe(operandsOf(command), layout)),
    section(bold("options"), describe(optionsOf(command), layout)),
    section(bold(command.terms?.heading ?? ""), describe(command.terms?.rows ?? [], layout)),
    section(
      bold("examples"),
      command.examples.flatMap((example) => exampleLines(example, layout)),
    ),
  ]);
}

export function operandsOf(command: Command): Described[] {
  return Object.entries(command.operands).map(([name, operand]) => {
    const choices = operand.choices === undefined ? "" : ` (${operand.choices.join(", ")})`;
    return { term: operandUsage(name, operand), text: operand.help + choices };
  });
}

/** The options of a command, `--help` with them. */
export function optionsOf(command: Command): Described[] {
  const declared = Object.entries(command.options).map(([name, option]) => {
    const short = option.short === undefined ? "    " : `-${option.short}, `;
    return { term: `${short}${optionUsage(name, option)}`, text: optionText(option) };
  });
  return [...declared, { term: "-h, --help", text: "show this help" }];
}

function optionText(option: Option): string {
  if (option.kind === "flag") return option.help;
  const notes: string[] = [];
  if (option.kind === "choice") notes.push(option.choices.join(", "));
  if (option.default !== undefined) notes.push(`default: ${option.default}`);
  if (option.required === true) notes.push("needed");
  if (option.repeatable === true) notes.push("may be repeated");
  return notes.length === 0 ? option.help : `${option.help} (${notes.join("; ")})`;
}

function exampleLines(example: Example, layout: HelpLayout): string[] {
  const columns = textColumns(layout) - 2 * indent.length;
  const explained = wrapText(example.help, columns).map((line) => `${indent}${indent}${layout.style("dim", line)}`);
  return [`${indent}${example.line}`, ...explained];
}

const widestTerm = 28;

function describe(rows: readonly Described[], layout: HelpLayout): string[] {
  const termWidth = Math.min(widestTerm, Math.max(0, ...rows.map(({ term }) => textWidth(term))));
  const textAt = indent.length + termWidth + indent.length;
  return rows.flatMap(({ term, text }) => {
    const lines = wrapText(text, Math.max(20, textColumns(layout) - textAt));
    const [first = "", ...others] = lines;
    const isWide = textWidth(term) > termWidth;
    const padding = " ".repeat(Math.max(0, termWidth - textWidth(term)));
    const shown = `${indent}${layout.style("cyan", term)}`;
    return [
      ...(isWide ? [shown, " ".repeat(textAt) + first] : [`${shown}${padding}${indent}${first}`]),
      ...others.map((line) => " ".repeat(textAt) + line),
    ];
  });
}

function textColumns(layout: HelpLayout): number {
  return Math.max(40, Math.min(widestText, layout.columns));
}

function section(heading: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [heading, ...lines];
}

function page(sections: readonly (readonly string[])[]): string {
  const blocks = sections.filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
  return `${blocks.join("\n\n")}\n`;
}
