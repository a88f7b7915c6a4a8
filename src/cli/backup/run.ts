import { failureOf, runPlan, summaryLines } from "../../backup/index.ts";
import { Failure } from "../../base/index.ts";
import { parseTimeLimit } from "../../bytes/index.ts";
import { defineCommand, dryRunOption, jsonOption } from "../command.ts";
import { printJson, printLines, showProgress } from "../print.ts";

/** `holdfast backup run` */
export const run = defineCommand({
  words: ["backup", "run"],
  summary: "save what a plan says, check it, delete what is too old, and tell of it",
  description: `Nothing is asked, with or without a terminal. Jobs run one after the other; one that fails does not keep the next from running, and the exit status is that of the first that failed. A target that is not there is a failure unless the plan says that it may be skipped. Older backups of a job are deleted only once its new one is there and has passed its check.

Two runs of one plan never overlap: the second is refused with status 4.`,
  operands: {
    plan: { arity: "one", help: 'the plan\'s file; "backup plan example" prints one' },
    job: { arity: "any-number", help: "only these jobs of it" },
  },
  options: {
    "dry-run": { ...dryRunOption, help: "say what would be saved and deleted; nothing is run, written or sent" },
    "unless-within": {
      kind: "string",
      value: "TIME",
      parse: parseTimeLimit,
      help: "do nothing where the plan was run less than that ago: 25h, 7d",
    },
    json: jsonOption,
  },
  examples: [
    { line: "sudo holdfast backup run /etc/holdfast/plan.toml", help: "all jobs" },
    { line: "holdfast backup run plan.toml laptop --dry-run", help: "what would one job do?" },
  ],
  async run(context, args) {
    using progress = showProgress(context, args);
    const summary = await runPlan(
      {
        plan: args.plan,
        jobs: args.job,
        isDryRun: args.dryRun,
        ...(args.unlessWithin === undefined ? {} : { unlessWithinMs: args.unlessWithin }),
        env: context.env,
        clock: Date.now,
      },
      { signal: context.signal, onProgress: progress.onProgress },
    );
    progress.clear();
    if (args.json) await printJson(context, summary);
    else await printLines(context, summaryLines(summary));
    const code = failureOf(summary);
    if (code === undefined) return;
    const failed = summary.jobs.filter(({ status }) => status === "failed").map(({ job }) => job);
    const what = failed.length > 0 ? `${failed.join(", ")} failed` : (summary.untold[0] ?? "interrupted");
    throw new Failure(code, `cannot finish the plan "${args.plan}": ${what}`);
  },
});
