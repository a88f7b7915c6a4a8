import { checkPlan, exampleOfPlan } from "../../backup/index.ts";
import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import { problemText } from "../../bytes/toml/index.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson, printLines } from "../print.ts";

/** `holdfast backup plan` */
export const plan = defineCommand({
  words: ["backup", "plan"],
  summary: "check a plan of backups that nobody watches, or print an example of one",
  description: `A plan is a TOML file: what is saved, where to, how it is checked, how many backups are kept, what is run before and after, and who is told. "backup run" does what it says, "backup install-timer" has it done regularly.

"check" tells everything that is wrong with a plan, each by its line and key; status 2 where there is something. "example" prints a plan with all that can be in one.`,
  operands: {
    action: { arity: "one", choices: ["check", "example"], help: "what is to be done: check or example" },
    file: { arity: "optional", help: "the plan to check" },
  },
  options: { json: jsonOption },
  examples: [
    { line: "holdfast backup plan example > plan.toml", help: "to begin with" },
    { line: "holdfast backup plan check plan.toml", help: "would it be run?" },
  ],
  async run(context, args) {
    const { action, file } = args;
    if ((action === "check") !== (file !== undefined)) {
      throw new Failure(
        "usage",
        `cannot run "backup plan ${action}": ${file === undefined ? "FILE is missing" : "it takes no FILE"}`,
      );
    }
    if (file === undefined) return context.stdout.write(await exampleOfPlan());
    const { plan: read, problems } = await checkPlan(file);
    if (args.json) await printJson(context, { plan: read, problems });
    else
      await printLines(
        context,
        problems.map((problem) => `${printableName(file)}: ${printableName(problemText(problem))}`),
      );
    if (problems.length > 0) {
      const count = problems.length === 1 ? "1 thing is" : `${problems.length} things are`;
      throw new Failure("usage", `cannot use the plan "${file}": ${count} wrong with it`);
    }
    if (!args.json) await printLines(context, [`no problems: ${read.jobs.map(({ name }) => name).join(", ")}`]);
  },
});
