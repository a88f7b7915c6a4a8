import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import {
  checkKey,
  type CheckedFile,
  type CheckKeyRequest,
  type FileVerdict,
  type KeyCheckReport,
  type KeyFinding,
} from "../../key/index.ts";
import { defineCommand, jsonOption, type CommandContext } from "../command.ts";
import { JsonListDocument } from "../json-document.ts";
import { showProgress } from "../print.ts";
import type { ProgressDisplay } from "../progress-bar.ts";

/** `holdfast key check` */
export const check = defineCommand({
  words: ["key", "check"],
  summary: "read everything on a key, and see whether it is as it was",
  description: `The ISO files are compared with their sums from when they were added, those that were merely copied with the sums in them; boot sector, core image and GRUB's files with what key create put there; table and file systems with themselves. With names, only these ISO files are read.

Nothing is changed. Every finding is printed on a line of its own; with an error among them the exit status is 3.`,
  operands: {
    key: { arity: "one", help: "the key" },
    name: { arity: "any-number", help: "ISO files, as key list shows them; none: everything" },
  },
  options: { json: jsonOption },
  examples: [
    { line: "holdfast key check key.img", help: "all of it" },
    { line: "holdfast key check /dev/sdb debian-live-12.iso", help: "one ISO file on a stick" },
  ],
  async run(context, args) {
    using progress = showProgress(context, args);
    const request = { key: args.key, names: args.name };
    const report = args.json
      ? await checkAsJson(context, request, progress)
      : await checkAsText(context, request, progress);
    progress.clear();
    if (report.errorCount === 0) return;
    throw new Failure("damaged", `cannot vouch for "${args.key}": ${countsText(report)}`);
  },
});

async function checkAsJson(
  context: CommandContext,
  request: CheckKeyRequest,
  { onProgress }: ProgressDisplay,
): Promise<KeyCheckReport> {
  const document = await JsonListDocument.open(context.stdout, { key: request.key }, "findings");
  const { signal } = context;
  const report = await checkKey(request, { signal, onProgress, onFinding: (finding) => document.add(finding) });
  await document.close({ ...report });
  return report;
}

async function checkAsText(
  { stdout, signal }: CommandContext,
  request: CheckKeyRequest,
  progress: ProgressDisplay,
): Promise<KeyCheckReport> {
  const onFinding = async ({ severity, where, message }: KeyFinding): Promise<void> => {
    progress.clear();
    const label = stdout.style(severity === "error" ? "red" : "yellow", `${severity}:`);
    await stdout.write(`${label} ${printableName(where)}: ${printableName(message)}\n`);
  };
  const report = await checkKey(request, { signal, onProgress: progress.onProgress, onFinding });
  progress.clear();
  for (const file of report.files) await stdout.write(`${fileText(file)}\n`);
  await stdout.write(`${countsText(report)}\n`);
  return report;
}

const verdictTexts: Readonly<Record<FileVerdict, string>> = {
  "as-added": "as it was when it was added",
  whole: "whole, by the sums in it",
  unknown: "copied, and nothing tells what it should be",
  wrong: "not as it should be",
};

function fileText({ name, verdict }: CheckedFile): string {
  return `${printableName(name)}: ${verdictTexts[verdict]}`;
}

function countsText({ errorCount, warningCount }: KeyCheckReport): string {
  const errors = errorCount === 0 ? "no errors" : errorCount === 1 ? "1 error" : `${errorCount} errors`;
  if (warningCount === 0) return errors;
  return `${errors}, ${warningCount === 1 ? "1 warning" : `${warningCount} warnings`}`;
}
