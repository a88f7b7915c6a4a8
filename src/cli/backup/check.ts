import { checkBackup, type BackupProblem } from "../../backup/index.ts";
import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { JsonListDocument } from "../json-document.ts";
import { showProgress } from "../print.ts";
import { storeAccess, storeOptions } from "./store-options.ts";

/** `holdfast backup check` */
export const check = defineCommand({
  words: ["backup", "check"],
  summary: "read all of a backup and compare every checksum in it",
  description:
    "Lists of checksums, the checksums in the data, the copies of the partition table, and where data can be read anywhere (zstd of Holdfast, or not compressed) the file systems in it too. Every problem is printed on a line of its own; with an error among them the exit status is 3.",
  operands: { backup: { arity: "one", help: "the backup's folder, of Holdfast or Clonezilla" } },
  options: { ...storeOptions, json: jsonOption },
  examples: [{ line: "holdfast backup check backups/2026-11-30-1205-sda", help: "can it be restored?" }],
  async run(context, args) {
    const { stdout, signal } = context;
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
      ...storeAccess(context, args),
      signal,
      onProgress: progress.onProgress,
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
