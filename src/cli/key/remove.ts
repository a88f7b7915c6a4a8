import { printableName } from "../../bytes/index.ts";
import { removeIsos } from "../../key/index.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson, printLines } from "../print.ts";

/** `holdfast key remove` */
export const remove = defineCommand({
  words: ["key", "remove"],
  summary: "remove ISO files from a key, with their entries in the menu",
  operands: {
    key: { arity: "one", help: "the key: an image, or the device of a stick that is not mounted" },
    name: { arity: "one-or-more", help: "names, as key list shows them" },
  },
  options: {
    "dry-run": { kind: "flag", short: "n", help: "say what would be removed, and change nothing" },
    json: jsonOption,
  },
  examples: [{ line: "holdfast key remove key.img debian-live-11.iso", help: "make room for the next one" }],
  async run(context, args) {
    const paths = await removeIsos({ key: args.key, names: args.name, isRehearsal: args.dryRun, nowMs: Date.now() });
    const names = paths.map((path) => path.slice(1));
    if (args.json) return printJson(context, { removed: names, isRehearsal: args.dryRun });
    await printLines(
      context,
      names.map((name) => `${args.dryRun ? "would remove" : "removed"} ${printableName(name)}`),
    );
  },
});
