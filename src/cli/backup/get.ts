import { defineCommand, jsonOption } from "../command.ts";
import { takeOut } from "../disk/take-out.ts";
import { backupOpener, lookOptions, backupPlaceHelp, parseBackupPlace } from "./place-in-backup.ts";

/** `holdfast backup get` */
export const get = defineCommand({
  words: ["backup", "get"],
  summary: "take files out of a backup, into a folder or as a tar",
  description:
    "Only what is needed for them is read and unpacked. Times, modes, links, holes and extended attributes are kept, owners and devices too where this is run by root. A tar keeps everything whoever runs it.",
  operands: {
    place: { arity: "one", parse: parseBackupPlace, help: backupPlaceHelp },
    to: {
      arity: "optional",
      help: "the folder to put it in, made if need be; - is a tar on standard output; else here",
    },
  },
  options: {
    force: { kind: "flag", short: "f", help: "replace files that are there already" },
    ...lookOptions,
    json: jsonOption,
  },
  examples: [
    { line: "holdfast backup get backups/2026-11-30-1205-sda:2/home/anna here", help: "a folder of partition 2" },
  ],
  async run(context, args) {
    const { to, force, json } = args;
    await takeOut(context, args.place, { to, force, json, openImage: backupOpener(context, args) });
  },
});
