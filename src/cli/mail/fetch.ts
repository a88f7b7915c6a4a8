import { Failure } from "../../base/index.ts";
import { fetchMail, readAccounts, stateFolderIn, type FetchReport } from "../../mail/fetch/index.ts";
import { askSecret } from "../ask.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson, printLines, printWarnings, showProgress } from "../print.ts";
import { version } from "../version.ts";

/** `holdfast mail fetch` */
export const fetch = defineCommand({
  words: ["mail", "fetch"],
  summary: "fetch mail by POP3 and IMAP, and deliver it here; nothing is lost, nothing comes twice",
  description: `Reads a .fetchmailrc as fetchmail does. A message is deleted on the server only once it is safe here, and that it is safe is written down first: a run that is cut off at any moment neither loses a message nor delivers one twice to an mbox or a Maildir.`,
  operands: { server: { arity: "any-number", help: "only these servers of the file; those that it skips too" } },
  options: {
    file: { kind: "string", short: "f", value: "FILE", help: "the accounts; ~/.fetchmailrc where not given" },
    deliver: { kind: "string", value: "TARGET", help: "where mail goes, instead of what the file says" },
    keep: { kind: "flag", short: "k", help: "delete nothing on the servers" },
    json: jsonOption,
  },
  examples: [
    { line: "holdfast mail fetch", help: "all accounts of ~/.fetchmailrc" },
    { line: "holdfast mail fetch --deliver mbox:/var/mail/%T", help: "into the mailbox of each local user" },
  ],
  async run(context, args) {
    using progress = showProgress(context, args);
    const { accounts } = await readAccounts({
      ...(args.file === undefined ? {} : { file: args.file }),
      ...(args.deliver === undefined ? {} : { deliver: args.deliver }),
      servers: args.server,
      keeps: args.keep,
      env: context.env,
      askPassword: (account) => askSecret(context, `password for ${account}: `),
    });
    const report = await fetchMail(accounts, {
      signal: context.signal,
      env: context.env,
      stateFolder: stateFolderIn(context.env),
      clock: Date.now,
      version: version(),
    });
    progress.clear();
    if (args.json) await printJson(context, report);
    else await printLines(context, reportLines(report));
    const problems = report.accounts.flatMap(({ folders }) => folders.flatMap((folder) => folder.problems));
    await printWarnings(context, problems);
    const failure = report.accounts.find((account) => account.failure !== undefined)?.failure;
    if (failure !== undefined) {
      throw new Failure(failure.code, failure.message, failure.hint === undefined ? {} : { hint: failure.hint });
    }
  },
});

function reportLines({ accounts }: FetchReport): string[] {
  return accounts.flatMap(({ folders }) => {
    return folders.map(({ account, folder, fetched }) => `${account} ${folder}: ${fetched} fetched`);
  });
}
