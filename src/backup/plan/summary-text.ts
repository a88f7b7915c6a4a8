import { formatSize, printableName } from "../../bytes/index.ts";
import { countText, type JobSummary, type RunSummary } from "./summary.ts";

/** A run for people, as a mail has it and as it is printed. */
export function summaryLines(summary: RunSummary): string[] {
  const { jobs, untold } = summary;
  return [...jobs.flatMap(jobLines), ...untold.map((why) => `warning: ${printableName(why)}`), countText(jobs)];
}

/** One job in one line, for a log. */
export function jobLine(job: JobSummary): string {
  return [headOf(job), ...(job.error === undefined ? [] : [printableName(job.error.message)])].join(": ");
}

function jobLines(job: JobSummary): string[] {
  const { checked = [], error, forgotten, warnings } = job;
  const verb = job.status === "planned" ? "would delete" : "deleted";
  return [
    headOf(job),
    ...(error === undefined ? [] : [`  error: ${printableName(error.message)}`]),
    ...(error?.hint === undefined ? [] : [`  hint: ${printableName(error.hint)}`]),
    ...warnings.map((warning) => `  warning: ${printableName(warning)}`),
    ...(checked.length === 0 ? [] : [`  checked: ${checked.join(", ")}`]),
    ...forgotten.map((name) => `  ${verb} ${printableName(name)}`),
  ];
}

function headOf({ job, status, source, target, backup, sizeBytes, packedBytes, seconds }: JobSummary): string {
  const from = source === undefined ? "" : printableName(source);
  if (status === "planned") return `${job}: would save ${from} as ${printableName(backup ?? target)}`;
  if (status === "no-target") return `${job}: its target ${printableName(target)} is not there`;
  if (status !== "saved") return `${job}: ${status}${backup === undefined ? "" : `, see ${printableName(backup)}`}`;
  const sizes = `${formatSize(sizeBytes ?? 0)} in ${formatSize(packedBytes ?? 0)}`;
  return `${job}: saved ${from} as ${printableName(backup ?? "")}, ${sizes}, ${Math.round(seconds)} s`;
}
