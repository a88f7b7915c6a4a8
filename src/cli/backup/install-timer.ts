import * as path from "node:path";
import { planTimer } from "../../backup/index.ts";
import { Failure } from "../../base/index.ts";
import { applyTimer } from "../../base/timer/index.ts";
import { defineCommand, dryRunOption, jsonOption } from "../command.ts";
import { printJson, printLines } from "../print.ts";
import { startingWords, stepLines } from "../timer-text.ts";

/** `holdfast backup install-timer` */
export const installTimer = defineCommand({
  words: ["backup", "install-timer"],
  summary: "have a plan run regularly, by systemd or cron; a run that was missed is made up",
  description: `What is written is shown. With systemd that is a service, which runs with the lowest priority and may do no more than it needs, and a timer that makes up what was missed while the machine was off. Where a plan has commands of its own, they may need more: then less is forbidden.

Without systemd entries of cron are made, of which one looks twice an hour whether a run was missed. As root everything is for the whole system, else for this user.`,
  operands: { plan: { arity: "one", help: "the plan's file" } },
  options: {
    at: {
      kind: "string",
      value: "TIME",
      default: "03:00",
      help: "03:00 each day, daily, weekly, monthly, or what systemd.time(7) calls a calendar event; else 03:00",
    },
    user: { kind: "flag", help: "for this user only, also as root" },
    systemd: { kind: "flag", help: "by systemd, although that does not run here" },
    cron: { kind: "flag", help: "by cron, although systemd runs here" },
    output: { kind: "string", value: "DIR", help: "only write the files, into this folder; nothing is started" },
    remove: { kind: "flag", help: "have it run no longer" },
    "dry-run": { ...dryRunOption, help: "show what would be written and run, and do nothing" },
    json: jsonOption,
  },
  examples: [
    { line: "sudo holdfast backup install-timer /etc/holdfast/plan.toml --dry-run", help: "what would be written?" },
    { line: 'sudo holdfast backup install-timer /etc/holdfast/plan.toml --at "Mon 12:30"', help: "each Monday" },
  ],
  async run(context, args) {
    const { env } = context;
    if (args.cron && args.systemd) throw new Failure("usage", "cannot use --cron with --systemd: choose one");
    const steps = await planTimer({
      plan: args.plan,
      program: startingWords(),
      at: args.at,
      ...(args.cron || args.systemd ? { by: args.cron ? ("cron" as const) : ("systemd" as const) } : {}),
      scope: args.user || process.getuid?.() !== 0 ? "user" : "system",
      env,
      ...(args.output === undefined ? {} : { output: path.resolve(args.output) }),
      isRemoval: args.remove,
    });
    if (!args.dryRun) await applyTimer(steps, env);
    if (args.json) return printJson(context, { isDryRun: args.dryRun, ...steps });
    await printLines(context, stepLines(steps));
  },
});
