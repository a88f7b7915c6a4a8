import { printableName } from "../../bytes/index.ts";
import { removeIsos } from "../../key/index.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson, printLines, printWarnings } from "../print.ts";

/** `holdfast key remove` */
export const remove = defineCommand({
  words: ["key", "remove"],
  summary: "remove files from a key, with their entries in the menu and what belongs to them",
  operands: {
    key: { arity: "one", help: "the key: an image, or the device of a stick that is not mounted" },
    name: { arity: "one-or-more", help: "names, as key list shows them" },
  },
  options: {
    "with-changes": { kind: "flag", help: "remove what was changed of these systems, too; else that stays" },
    "dry-run": { kind: "flag", short: "n", help: "say what would be removed, and change nothing" },
    json: jsonOption,
  },
  examples: [{ line: "holdfast key remove key.img debian-live-11.iso", help: "make room for the next one" }],
  async run(context, args) {
    const request = { key: args.key, names: args.name, withChanges: args.withChanges, isRehearsal: args.dryRun };
    const done = await removeIsos({ ...request, nowMs: Date.now() });
    const names = done.removed.map((path) => path.slice(1));
    const kept = done.kept.map((path) => path.slice(1));
    await printWarnings(context, kept.map(keptText));
    if (args.json) return printJson(context, { removed: names, kept, isRehearsal: args.dryRun });
    await printLines(
      context,
      names.map((name) => `${args.dryRun ? "would remove" : "removed"} ${printableName(name)}`),
    );
  },
});

function keptText(name: string): string {
  return `what was changed stays on the key, as ${name}; --with-changes removes that, too, and so does naming it later`;
}
