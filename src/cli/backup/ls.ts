import { defineCommand, jsonOption } from "../command.ts";
import { printListing } from "../disk/print-listing.ts";
import { backupOpener, lookOptions, backupPlaceHelp, parseBackupPlace } from "./place-in-backup.ts";

/** `holdfast backup ls` */
export const ls = defineCommand({
  words: ["backup", "ls"],
  summary: "list the files in a backup, without restoring it",
  operands: { place: { arity: "one", parse: parseBackupPlace, help: backupPlaceHelp } },
  options: {
    long: { kind: "flag", short: "l", help: "with mode, links, owner, group, size, time in UTC" },
    recursive: { kind: "flag", short: "R", help: "with everything below" },
    ...lookOptions,
    json: jsonOption,
  },
  examples: [{ line: "holdfast backup ls -l backups/2026-11-30-1205-sda:2/etc", help: "a folder of partition 2" }],
  async run(context, args) {
    const { long: isLong, recursive: isRecursive, json } = args;
    await printListing(context, args.place, { isLong, isRecursive, json, openImage: backupOpener(context, args) });
  },
});
