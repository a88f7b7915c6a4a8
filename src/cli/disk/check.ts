import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import {
  checkDisk,
  repairTable,
  unknownPart,
  type CheckReport,
  type DiskProblem,
  type Place,
} from "../../disk/index.ts";
import { defineCommand, jsonOption, type CommandContext } from "../command.ts";
import { showProgress } from "../print.ts";
import { JsonListDocument } from "../json-document.ts";
import { parsePlace } from "../place.ts";
import type { ProgressDisplay } from "../progress-bar.ts";

/** `holdfast disk check` */
export const check = defineCommand({
  words: ["disk", "check"],
  summary: "look for damage in the partition table and the file systems",
  description:
    "Nothing is changed, unless --repair-table is given. Every problem is printed on a line of its own; with an error among them the exit status is 3. A warning leaves the data whole. Where nothing is known that could be checked, the exit status is 1.",
  operands: { image: { arity: "one", parse: parsePartitionPlace, help: "IMAGE, or IMAGE:2 for partition 2 only" } },
  options: {
    "repair-table": { kind: "flag", help: "first write the damaged copy of a GPT anew from the good one" },
    json: jsonOption,
  },
  examples: [
    { line: "holdfast disk check big", help: "the table, and every file system that is known" },
    { line: "holdfast disk check big --repair-table", help: "make both copies of the table whole again" },
  ],
  async run(context, args) {
    if (args.repairTable) {
      for (const done of await repairTable(args.image.image)) await context.stderr.write(`repaired: ${done}\n`);
    }
    using progress = showProgress(context, args);
    const report = args.json
      ? await checkAsJson(context, args.image, progress)
      : await checkAsText(context, args.image, progress);
    progress.clear();
    const name = placeName(args.image);
    if (report.errorCount > 0) throw new Failure("damaged", `cannot vouch for "${name}": ${countsText(report)}`);
    if (report.parts.some(({ isChecked }) => isChecked)) return;
    throw new Failure("unsupported", `cannot check "${name}": ${whyUnchecked(report)}`);
  },
});

function whyUnchecked({ parts }: CheckReport): string {
  const kinds = parts.map(({ what }) => what).filter((what) => what !== unknownPart);
  if (kinds.length > 0) return `it holds ${kinds.join(", ")}, which is recognised but not read`;
  return "there is no partition table and no file system known";
}

function parsePartitionPlace(text: string): Place {
  const place = parsePlace(text);
  if (place.path === undefined || place.path === "/") return place;
  throw new Failure("usage", `cannot check "${text}": a file system can only be checked as a whole`, {
    hint: `leave the path away: ${placeName(place)}`,
  });
}

function placeName({ image, partition }: Place): string {
  return partition === undefined ? image : `${image}:${partition}`;
}

async function checkAsJson(context: CommandContext, place: Place, progress: ProgressDisplay): Promise<CheckReport> {
  const document = await JsonListDocument.open(context.stdout, { ...place }, "problems");
  const report = await checkDisk(place, {
    signal: context.signal,
    onProgress: progress.onProgress,
    onProblem: (problem) => document.add(problem),
  });
  await document.close({ ...report });
  return report;
}

async function checkAsText(context: CommandContext, place: Place, progress: ProgressDisplay): Promise<CheckReport> {
  const { stdout } = context;
  const report = await checkDisk(place, {
    signal: context.signal,
    onProgress: progress.onProgress,
    async onProblem(problem) {
      progress.clear();
      await stdout.write(`${problemText(problem, stdout)}\n`);
    },
  });
  progress.clear();
  for (const { where, what, isChecked } of report.parts) {
    await stdout.write(`${where}: ${what}${isChecked ? ", checked" : ", not checked"}\n`);
  }
  const isSound = report.errorCount === 0 && report.parts.some(({ isChecked }) => isChecked);
  if (isSound) await stdout.write(`${countsText(report)}\n`);
  return report;
}

function problemText({ severity, where, message }: DiskProblem, stdout: CommandContext["stdout"]): string {
  return `${stdout.style(severity === "error" ? "red" : "yellow", `${severity}:`)} ${where}: ${printableName(message)}`;
}

function countsText({ errorCount, warningCount }: CheckReport): string {
  const errors = errorCount === 0 ? "no errors" : errorCount === 1 ? "1 error" : `${errorCount} errors`;
  if (warningCount === 0) return errors;
  return `${errors}, ${warningCount === 1 ? "1 warning" : `${warningCount} warnings`}`;
}
