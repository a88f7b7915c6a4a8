import { forgetBackups } from "../../backup/index.ts";
import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import { defineCommand, dryRunOption, jsonOption } from "../command.ts";
import { printJson, printLines, printWarnings } from "../print.ts";
import { keepOptions, keepRulesOf } from "./keep-options.ts";
import { storeAccess, storeOptions } from "./store-options.ts";

/** `holdfast backup forget` */
export const forget = defineCommand({
  words: ["backup", "forget"],
  summary: "delete backups beyond those that are to be kept",
  description: `Rules apply to each series by itself: backups of the same disk, with the same name behind the date. The newest good one of a series is kept in any case. Backups that are damaged, or did not pass their check, count for nothing and are not deleted. What is no backup, is being written, or is being read stays.

A backup is renamed before it is deleted: interrupted, nothing is left that looks like a whole one.`,
  operands: { target: { arity: "one", help: "where the backups are" } },
  options: {
    ...keepOptions,
    name: { kind: "string", value: "NAME", help: "only those called so behind the date, whichever disk they are of" },
    ...storeOptions,
    "dry-run": { ...dryRunOption, help: "only say what would be kept, and why, and what would be deleted" },
    json: jsonOption,
  },
  examples: [
    { line: "holdfast backup forget backups --keep-daily 7 --keep-monthly 12 --dry-run", help: "what would go?" },
    { line: "holdfast backup forget backups --keep-last 3 --name laptop", help: "three are enough" },
  ],
  async run(context, args) {
    const rules = keepRulesOf(args);
    if (rules === undefined) {
      throw new Failure("usage", "cannot forget backups: nothing says which are to be kept", {
        hint: "add --keep-last N, --keep-daily N, or another one of these",
      });
    }
    const { target, dryRun: isDryRun, name } = args;
    const label = name === undefined ? {} : { label: name };
    const request = { target, rules, isDryRun, ...storeAccess(context, args), ...label };
    const { kept, forgotten, damaged, done } = await forgetBackups(request, { signal: context.signal });
    await printWarnings(context, [
      ...damaged.map((one) => `${one.name} counts for nothing, and stays: ${one.damage ?? ""}`),
      ...done.left.map((one) => `${one.name} stays: ${one.why}`),
    ]);
    if (args.json) return printJson(context, { target, isDryRun, kept, forgotten, damaged, done });
    const gone = isDryRun ? forgotten.map((one) => one.name) : done.forgotten;
    await printLines(context, [
      ...kept.map(
        (one) => `kept ${printableName(one.name)}: ${one.by.length === 0 ? "the newest" : one.by.join(", ")}`,
      ),
      ...gone.map((one) => `${isDryRun ? "would delete" : "deleted"} ${printableName(one)}`),
    ]);
  },
});
