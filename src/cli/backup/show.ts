import { showBackup } from "../../backup/index.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson, printLines } from "../print.ts";
import { backupLines } from "./backup-text.ts";
import { storeAccess, storeOptions } from "./store-options.ts";

/** `holdfast backup show` */
export const show = defineCommand({
  words: ["backup", "show"],
  summary: "say what is in a backup: disks, partitions, sizes, when it was saved",
  description: "Only the small files of the backup are read. What its data is worth, backup check tells.",
  operands: { backup: { arity: "one", help: "the backup's folder, of Holdfast or Clonezilla" } },
  options: { ...storeOptions, json: jsonOption },
  examples: [{ line: "holdfast backup show backups/2026-11-30-1205-sda", help: "what is in it" }],
  async run(context, args) {
    const report = await showBackup(args.backup, storeAccess(context, args));
    if (args.json) return printJson(context, report);
    await printLines(context, backupLines(report, context.stdout));
  },
});
