import { readFile } from "../../disk/index.ts";
import { defineCommand } from "../command.ts";
import { placeOfFile } from "../place-in-image.ts";
import { backupOpener, lookOptions, parseBackupPlace } from "./place-in-backup.ts";

/** `holdfast backup cat` */
export const cat = defineCommand({
  words: ["backup", "cat"],
  summary: "print files of a backup on standard output",
  operands: {
    place: {
      arity: "one-or-more",
      parse: (text) => placeOfFile(text, parseBackupPlace(text)),
      help: "BACKUP:/path, or BACKUP:2/path for partition 2",
    },
  },
  options: lookOptions,
  examples: [{ line: "holdfast backup cat backups/2026-11-30-1205-sda:/etc/fstab", help: "as it was then" }],
  async run(context, args) {
    const options = { signal: context.signal, openImage: backupOpener(context, args) };
    for (const place of args.place) {
      for await (const piece of readFile(place, options)) await context.stdout.write(piece);
    }
  },
});
