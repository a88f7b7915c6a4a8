import { listBackups } from "../../backup/index.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson, printLines } from "../print.ts";
import { listLines } from "./backup-text.ts";
import { storeAccess, storeOptions } from "./store-options.ts";

/** `holdfast backup list` */
export const list = defineCommand({
  words: ["backup", "list"],
  summary: "list the backups in a folder, the oldest first",
  operands: { folder: { arity: "one", help: "the folder that they are in" } },
  options: { ...storeOptions, json: jsonOption },
  examples: [{ line: "holdfast backup list backups", help: "names, dates, sizes, and which were not finished" }],
  async run(context, args) {
    const backups = await listBackups(args.folder, storeAccess(context, args));
    if (args.json) return printJson(context, { folder: args.folder, backups });
    await printLines(context, listLines(backups, context.stdout));
  },
});
