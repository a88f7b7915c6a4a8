import { Failure } from "../../base/index.ts";
import { fetchMail, readAccounts, runDaemon, stateFolderIn, type FetchReport } from "../../mail/fetch/index.ts";
import { parseTimeLimit } from "../../bytes/index.ts";
import { askSecret } from "../ask.ts";
import { defineCommand, dryRunOption, jsonOption, type CommandContext } from "../command.ts";
import { printJson, printLines, printWarnings, showProgress } from "../print.ts";
import { version } from "../version.ts";
import { reportLines } from "./fetch-text.ts";
import { installFetchTimer } from "./fetch-timer.ts";
import { folderOption, pathsOf } from "./mail-folder.ts";

/** `holdfast mail fetch` */
export const fetch = defineCommand({
  words: ["mail", "fetch"],
  summary: "fetch mail by POP3 and IMAP and deliver it here; nothing is lost, nothing comes twice",
  description: `Reads ~/.fetchmailrc as fetchmail does; an option that is not followed is an error that names its line. A file whose name ends in .toml is of this program's own kind. Passwords that are not there are looked for in ~/.netrc, then asked for.

A message is deleted on its server only once it is safe here and that is written down. A run that is cut off at any moment loses no message, and delivers none twice to an mbox or a Maildir; a mail server or a program that was given one just then may get it again.

With "set daemon" in the file, or --daemon, it goes on until it is ended, and stays in the foreground: systemd or cron keep it running. Accounts with "idle" keep their connection, and mail comes when it is there.`,
  operands: { server: { arity: "any-number", help: "only these servers of the file, also those that it skips" } },
  options: {
    file: {
      kind: "string",
      short: "f",
      value: "FILE",
      help: "the accounts; else ~/.fetchmailrc, else fetch.toml in --folder",
    },
    deliver: {
      kind: "string",
      value: "TARGET",
      help: "mbox:FILE, maildir:DIR, lmtp:SOCKET, smtp:HOST or pipe:COMMAND, instead of what the file says; %T is the local user",
    },
    keep: { kind: "flag", short: "k", help: "delete nothing on the servers" },
    daemon: {
      kind: "number",
      short: "d",
      value: "SECONDS",
      minimum: 1,
      maximum: 1_000_000,
      help: "poll again after so long",
    },
    once: { kind: "flag", help: "poll once, whatever the file says" },
    idle: { kind: "flag", help: "keep the connections of IMAP, and fetch what comes when it comes" },
    "require-mail": { kind: "flag", help: "end with status 1 where there was no mail, as fetchmail does" },
    "install-timer": {
      kind: "flag",
      help: "have systemd or cron run this with --once regularly; what is written is shown",
    },
    "remove-timer": { kind: "flag", help: "have it run no longer" },
    every: {
      kind: "string",
      value: "TIME",
      parse: parseTimeLimit,
      help: "how often with --install-timer: 90s, 5m, 2h; else 10m",
    },
    cron: { kind: "flag", help: "with --install-timer: by cron, although systemd runs here" },
    output: { kind: "string", value: "DIR", help: "with --install-timer: only write the files, into this folder" },
    "dry-run": { ...dryRunOption, help: "with --install-timer: show what would be written and run, and do nothing" },
    folder: folderOption,
    json: jsonOption,
  },
  examples: [
    { line: "holdfast mail fetch", help: "all accounts of ~/.fetchmailrc, as fetchmail would" },
    { line: "holdfast mail fetch --deliver mbox:/var/mail/%T", help: "into the mailbox of each local user" },
    { line: "holdfast mail fetch --install-timer --every 5m --dry-run", help: "what would run it every five minutes?" },
    { line: "holdfast mail fetch --idle --deliver maildir:~/Maildir", help: "whenever there is mail" },
  ],
  async run(context, args) {
    if (args.installTimer || args.removeTimer) return installFetchTimer(context, args);
    if (args.every !== undefined || args.cron || args.output !== undefined || args.dryRun) {
      throw new Failure("usage", "cannot use --every, --cron, --output or --dry-run without --install-timer", {
        hint: "--daemon SECONDS says how often mail is fetched by a run that goes on",
      });
    }
    if (args.once && (args.daemon !== undefined || args.idle)) {
      throw new Failure("usage", "cannot use --once with --daemon or --idle: choose one");
    }
    const { accounts, everyMs } = await readAccounts({
      ...(args.file === undefined ? {} : { file: args.file }),
      ...(args.deliver === undefined ? {} : { deliver: args.deliver }),
      servers: args.server,
      keeps: args.keep,
      idles: args.idle,
      folder: pathsOf(context, args.folder).folder,
      env: context.env,
      askPassword: (account) => askSecret(context, `password for ${account}: `),
    });
    const options = {
      signal: context.signal,
      env: context.env,
      stateFolder: stateFolderIn(context.env),
      clock: Date.now,
      version: version(),
    };
    const seconds = args.daemon ?? everyMs / 1000;
    const isOnce = args.once || (seconds === 0 && !accounts.some(({ idles }) => idles));
    if (!isOnce) {
      const onReport = (report: FetchReport): Promise<void> => tellOfRound(context, args, report);
      return runDaemon(accounts, { ...options, everyMs: seconds * 1000, onReport });
    }
    const report = await fetchOnce(context, args, (onMessage) => fetchMail(accounts, { ...options, onMessage }));
    const [failure] = report.accounts.flatMap((account) => account.failure ?? []);
    if (failure !== undefined) {
      throw new Failure(failure.code, failure.message, failure.hint === undefined ? {} : { hint: failure.hint });
    }
    if (report.accounts.some(({ folders }) => folders.some(({ problems }) => problems.length > 0))) {
      throw new Failure("failed", "cannot fetch everything: what was not taken is still on its server");
    }
    if (args.requireMail && report.fetched === 0) throw new Failure("failed", "there was no mail");
  },
});

interface Telling {
  readonly json: boolean;
}

type OnMessage = (event: { readonly account: string; readonly sizeBytes: number }) => void;

async function fetchOnce(
  context: CommandContext,
  args: Telling,
  work: (onMessage: OnMessage) => Promise<FetchReport>,
): Promise<FetchReport> {
  using progress = showProgress(context, args);
  let doneBytes = 0;
  const report = await work(({ account, sizeBytes }) => {
    doneBytes += sizeBytes;
    progress.onProgress({ phase: `fetching ${account}`, doneBytes });
  });
  progress.clear();
  if (args.json) await printJson(context, report);
  else await printLines(context, reportLines(report));
  await tellProblems(context, report, 1);
  return report;
}

/** One line of JSON for each round, or nothing where nothing happened. */
async function tellOfRound(context: CommandContext, args: Telling, report: FetchReport): Promise<void> {
  if (args.json) await context.stdout.write(`${JSON.stringify(report)}\n`);
  else if (report.fetched > 0) await printLines(context, reportLines(report));
  await context.stdout.flush();
  await tellProblems(context, report, 0);
}

/** The first `untold` failures of accounts are told of as the command's own. */
async function tellProblems(context: CommandContext, { accounts }: FetchReport, untold: number): Promise<void> {
  const problems = accounts.flatMap(({ folders }) => folders.flatMap((folder) => folder.problems));
  const failures = accounts.flatMap(({ failure }) => failure?.message ?? []).slice(untold);
  await printWarnings(context, [...problems, ...failures]);
  await context.stderr.flush();
}
