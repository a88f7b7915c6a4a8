import { formatSize, printableName } from "../../bytes/index.ts";
import { addIsos, type AddedIso } from "../../key/index.ts";
import { defineCommand, jsonOption, type CommandContext } from "../command.ts";
import { printJson, printLines, printWarnings, showProgress } from "../print.ts";

/** `holdfast key add` */
export const add = defineCommand({
  words: ["key", "add"],
  summary: "copy ISO files to a key and enter them into its menu",
  description: `What is in an ISO file decides how it starts, not its name. One that cannot start from a file is refused, with the reason. All are looked at before the first is copied; each is then on the key whole, with its entries, or not at all.

Without --name a file keeps its name, but for characters that the systems in ISO files may not find it by.`,
  operands: {
    key: { arity: "one", help: "the key: an image, or the device of a stick that is not mounted" },
    iso: { arity: "one-or-more", help: "ISO files" },
  },
  options: {
    name: {
      kind: "string",
      value: "NAME",
      help: "what the only ISO is called on the key; folder/name makes a submenu",
    },
    "dry-run": { kind: "flag", short: "n", help: "say what would be done, and change nothing" },
    json: jsonOption,
  },
  examples: [
    { line: "holdfast key add key.img debian-live-12.iso grml.iso", help: "two systems" },
    { line: "holdfast key add key.img rescue.iso --name tools/rescue", help: "in a submenu" },
  ],
  async run(context, args) {
    using progress = showProgress(context, args);
    const added = await addIsos(
      {
        key: args.key,
        isos: args.iso,
        isRehearsal: args.dryRun,
        nowMs: Date.now(),
        ...(args.name === undefined ? {} : { name: args.name }),
      },
      { signal: context.signal, onProgress: progress.onProgress },
    );
    progress.clear();
    for (const { warnings } of added) await printWarnings(context, warnings);
    if (args.json) return printJson(context, { added: added.map(documentOf), isRehearsal: args.dryRun });
    await printAdded(context, added, args.dryRun);
  },
});

function documentOf({ source, path, sizeBytes, iso, warnings }: AddedIso): Readonly<Record<string, unknown>> {
  return { source, name: path.slice(1), sizeBytes, title: iso.title, entries: iso.entries, warnings };
}

async function printAdded(context: CommandContext, added: readonly AddedIso[], isRehearsal: boolean): Promise<void> {
  const verb = isRehearsal ? "would add" : "added";
  const lines = added.map(({ path, sizeBytes, iso }) => {
    return `${verb} ${printableName(path.slice(1))} (${formatSize(sizeBytes)}): ${printableName(iso.title)}`;
  });
  await printLines(context, lines);
}
