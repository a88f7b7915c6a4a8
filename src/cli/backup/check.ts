import { checkBackup, type BackupProblem } from "../../backup/index.ts";
import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { JsonListDocument } from "../json-document.ts";
import { showProgress } from "../print.ts";
import { checkAgainst } from "./check-against.ts";
import { bootOptions, checkBoot } from "./check-boot.ts";
import { lookAccess, lookOptions } from "./place-in-backup.ts";

/** `holdfast backup check` */
export const check = defineCommand({
  words: ["backup", "check"],
  summary: "read all of a backup and compare every checksum in it",
  description:
    "Lists of checksums, the checksums in the data, the copies of the partition table, and the structure of the file systems; what is not packed to be read anywhere is unpacked for that, once. Every problem is printed on a line of its own; with an error among them the exit status is 3.\n\nWith --boot the backup is started in QEMU instead, straight from its compressed data: nothing is restored, and what the machine writes is forgotten. It comes up where it asks for a login, on its serial port or a screen of text, or says that it has got there; where its screen shows pictures only, those count. What firmware, boot loader or kernel complain of is told. Status 3 means that it does not come up.\n\nWith --against what was saved is compared with a disk that is not in use, or an image: table, boot code, and each block that file systems used then. Status 3 means that something differs; which partitions, and which files, is told.",
  operands: { backup: { arity: "one", help: "the backup's folder, of Holdfast or Clonezilla" } },
  options: {
    disk: {
      kind: "string",
      value: "NAME",
      help: "with --boot and --against: which disk, where the backup has several: sda",
    },
    against: {
      kind: "string",
      value: "SOURCE",
      help: "instead, compare it with a disk or image: is that still what was saved?",
    },
    ...bootOptions,
    ...lookOptions,
    json: jsonOption,
  },
  examples: [
    { line: "holdfast backup check backups/2026-11-30-1205-sda", help: "can it be restored?" },
    { line: "holdfast backup check backups/2026-11-30-1205-sda --boot", help: "would it come up?" },
    { line: "holdfast backup check backups/2026-11-30-1205-sda --against big", help: "is it still the same?" },
  ],
  async run(context, args) {
    if (args.boot && args.against !== undefined) {
      throw new Failure("usage", "cannot use --boot with --against: choose one");
    }
    if (args.boot) return checkBoot(context, args);
    if (args.against !== undefined) return checkAgainst(context, { ...args, against: args.against });
    const { stdout } = context;
    using progress = showProgress(context, args);
    const document = args.json ? await JsonListDocument.open(stdout, { backup: args.backup }, "problems") : undefined;
    const onProblem = async (problem: BackupProblem): Promise<void> => {
      progress.clear();
      if (document !== undefined) return document.add(problem);
      const { severity, where, message } = problem;
      const label = stdout.style(severity === "error" ? "red" : "yellow", `${severity}:`);
      await stdout.write(`${label} ${printableName(where)}: ${printableName(message)}\n`);
    };
    const checked = await checkBackup(args.backup, {
      ...lookAccess(context, args, progress),
      onProblem,
    });
    progress.clear();
    if (document !== undefined) await document.close({ ...checked });
    if (checked.errorCount > 0) {
      const errors = checked.errorCount === 1 ? "1 error" : `${checked.errorCount} errors`;
      throw new Failure("damaged", `cannot vouch for "${args.backup}": ${errors}`);
    }
    if (document !== undefined) return;
    const structure = checked.hasStructure ? ", file systems looked through" : "";
    await stdout.write(`no errors: ${checked.files} files, data of ${checked.parts.join(", ")}${structure}\n`);
  },
});
