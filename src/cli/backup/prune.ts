import { pruneBackups } from "../../backup/index.ts";
import { formatSize, parseTimeLimit, printableName } from "../../bytes/index.ts";
import { defineCommand, dryRunOption, jsonOption } from "../command.ts";
import { printJson, printLines } from "../print.ts";
import { storeAccess, storeOptions } from "./store-options.ts";

const usualAgeMs = 7 * 86_400_000;

/** `holdfast backup prune` */
export const prune = defineCommand({
  words: ["backup", "prune"],
  summary: "remove what runs that were broken off have left: backups half written or half deleted",
  description:
    'Of a backup that was not finished there is a folder that ends in .part; "backup save --resume" goes on with one. Those that nobody has written to for a week are removed, and those that were being deleted at once. "backup forget" deletes finished backups.',
  operands: { target: { arity: "one", help: "where the backups are" } },
  options: {
    "older-than": {
      kind: "string",
      value: "TIME",
      parse: parseTimeLimit,
      help: "remove what was not written to for so long: 12h, 30d; else 7d",
    },
    ...storeOptions,
    "dry-run": { ...dryRunOption, help: "only say what would be removed" },
    json: jsonOption,
  },
  examples: [{ line: "holdfast backup prune backups --dry-run", help: "what is left over?" }],
  async run(context, args) {
    const { target, dryRun: isDryRun } = args;
    const unchangedSinceMs = Date.now() - (args.olderThan ?? usualAgeMs);
    const request = { target, unchangedSinceMs, isDryRun, ...storeAccess(context, args) };
    const { removed, left } = await pruneBackups(request, { signal: context.signal });
    if (args.json) return printJson(context, { target, isDryRun, removed, left });
    const verb = isDryRun ? "would remove" : "removed";
    await printLines(context, [
      ...removed.map(({ name, sizeBytes }) => `${verb} ${printableName(name)}, ${formatSize(sizeBytes)}`),
      ...left.map(({ name }) => `left ${printableName(name)}: it may be being written`),
    ]);
  },
});
