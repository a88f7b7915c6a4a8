import { commandName, commandUsage, type Command, type CommandGroup, type Described } from "./command.ts";
import { operandsOf, optionsOf } from "./help.ts";

/** A page of `docs/reference/`. */
export interface ReferencePage {
  readonly fileName: string;
  readonly text: string;
}

/** The reference of all commands as Markdown: a page for each group, one for the commands without a group, an index. */
export function referencePages(commands: readonly Command[], groups: readonly CommandGroup[]): ReferencePage[] {
  const inGroup = (name: string): Command[] => commands.filter(({ words }) => words.length > 1 && words[0] === name);
  const singles = commands.filter(({ words }) => words.length === 1);
  const pages = groups.map((group) => groupPage(group, inGroup(group.name)));
  const others = page("commands.md", "holdfast: other commands", singles.flatMap(commandSection));
  return [indexPage(commands, groups), ...pages, others];
}

const origin = "<!-- Made from src/cli by `node test/cli/write-reference.ts`; changes here are lost. -->";

function page(fileName: string, title: string, blocks: readonly string[]): ReferencePage {
  return { fileName, text: `${[`# ${title}`, origin, ...blocks].join("\n\n")}\n` };
}

function groupPage(group: CommandGroup, commands: readonly Command[]): ReferencePage {
  const blocks = [capitalised(`${group.summary}.`), ...commands.flatMap(commandSection)];
  return page(`${group.name}.md`, `holdfast ${group.name}`, blocks);
}

function indexPage(commands: readonly Command[], groups: readonly CommandGroup[]): ReferencePage {
  const rows = commands.map(({ words, summary }) => {
    const fileName = groups.some(({ name }) => name === words[0]) ? `${words[0]}.md` : "commands.md";
    const anchor = commandName(words).replaceAll(" ", "-");
    return `- [\`${commandName(words)}\`](${fileName}#${anchor}): ${markdownText(summary)}`;
  });
  return page("README.md", "Reference", [
    "Every command and option. `holdfast <command> --help` says the same.",
    rows.join("\n"),
    exitStatusText,
  ]);
}

const exitStatusText = `## Exit status

- 0: done
- 1: failed
- 2: wrong words on the command line
- 3: what was examined is damaged or does not match
- 4: refused, for safety
- 130: interrupted`;

function commandSection(command: Command): string[] {
  const examples = command.examples.map(({ line, help }) => `# ${help}\n${line}`).join("\n\n");
  return [
    `## ${commandName(command.words)}`,
    capitalised(markdownText(`${command.summary}.`)),
    codeBlock(commandUsage(command)),
    ...(command.description === undefined ? [] : [markdownText(command.description)]),
    ...definitions("Operands", operandsOf(command)),
    ...definitions("Options", optionsOf(command)),
    ...definitions(capitalised(command.terms?.heading ?? ""), command.terms?.rows ?? []),
    ...(examples === "" ? [] : ["### Examples", codeBlock(examples)]),
  ];
}

function definitions(heading: string, rows: readonly Described[]): string[] {
  if (rows.length === 0) return [];
  const items = rows.map(({ term, text }) => `- \`${term.trim()}\`: ${markdownText(text)}`);
  return [`### ${heading}`, items.join("\n")];
}

function codeBlock(text: string): string {
  return `\`\`\`sh\n${text}\n\`\`\``;
}

function markdownText(text: string): string {
  return text.replace(/[\\*_<>|`[\]]/g, String.raw`\$&`);
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
