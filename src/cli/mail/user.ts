import { Failure } from "../../base/index.ts";
import { hashPassword } from "../../mail/passwords/index.ts";
import { openAuthority, parseMailbox, revokeCertificates, validOf } from "../../mail/pki/index.ts";
import { addUser, domainsIn, listUsers, removeUser, setPassword } from "../../mail/users/index.ts";
import { defineCommand, dryRunOption, jsonOption, type CommandContext } from "../command.ts";
import { printJson, printLines } from "../print.ts";
import { layOutTable } from "../table.ts";
import { folderOption, pathsOf } from "./mail-folder.ts";
import { findSecret } from "./secret.ts";

const mailboxOperand = { arity: "one", parse: parseMailbox, help: "such as joe@example.org" } as const;
const passwordFileOption = {
  kind: "string",
  value: "FILE",
  help: "has the password in its first line; HOLDFAST_PASSWORD in the environment is another way",
} as const;
const noPasswordOption = {
  kind: "flag",
  help: 'no password opens the mailbox; a certificate alone does where the settings say "certificate_alone = true"',
} as const;

interface PasswordArguments {
  readonly passwordFile: string | undefined;
  readonly noPassword: boolean;
}

/** As it is to be stored; undefined where there is to be none. */
async function newPassword(
  context: CommandContext,
  mailbox: string,
  args: PasswordArguments,
): Promise<string | undefined> {
  if (args.noPassword) return undefined;
  const question = `password for ${mailbox}`;
  const request = { file: args.passwordFile, variable: "HOLDFAST_PASSWORD", question, isNew: true };
  const password = await findSecret(context, request);
  if (password !== undefined) return hashPassword(password);
  throw new Failure("usage", `cannot give "${mailbox}" a password: none was given`, {
    hint: "give --password-file FILE, HOLDFAST_PASSWORD in the environment, or --no-password",
  });
}

/** `holdfast mail user add` */
export const userAdd = defineCommand({
  words: ["mail", "user", "add"],
  summary: "add a user, whose password is stored by Argon2id",
  description: `The user is written to DIR/domains/DOMAIN/imap.passwd, the password to imap.shadow beside it, both as Dovecot's passwd-file has them. The password is asked for where none is given. A device of the user needs a certificate besides: "holdfast mail cert issue".`,
  operands: { mailbox: mailboxOperand },
  options: {
    "password-file": passwordFileOption,
    "no-password": noPasswordOption,
    uid: { kind: "number", value: "N", minimum: 1, maximum: 2 ** 32 - 2, help: "whose files the mail is in" },
    gid: { kind: "number", value: "N", minimum: 1, maximum: 2 ** 32 - 2, help: "and of which group" },
    home: { kind: "string", value: "DIR", help: "where mail is; else as the settings say" },
    folder: folderOption,
  },
  examples: [
    { line: "sudo holdfast mail user add joe@example.org", help: "asks for the password" },
    {
      line: "sudo holdfast mail user add joe@example.org --uid 1000 --home /home/joe",
      help: "mail at home",
    },
  ],
  async run(context, args) {
    const { mailbox, uid, gid, home } = args;
    const { domains } = pathsOf(context, args.folder);
    if (listUsers(domains, domainOf(mailbox)).some((user) => user.mailbox === mailbox)) {
      throw new Failure("exists", `cannot add "${mailbox}": there is such a user already`, {
        hint: '"holdfast mail user password" sets a new password',
      });
    }
    const storedPassword = await newPassword(context, mailbox, args);
    await addUser(domains, {
      mailbox,
      ...(storedPassword === undefined ? {} : { storedPassword }),
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      ...(home === undefined ? {} : { home }),
    });
    await printLines(context, [
      `${mailbox}: added${storedPassword === undefined ? ", without a password" : ""}`,
      `next: holdfast mail cert issue ${mailbox} --device NAME`,
    ]);
  },
});

/** `holdfast mail user password` */
export const userPassword = defineCommand({
  words: ["mail", "user", "password"],
  summary: "give a user another password, or none",
  operands: { mailbox: mailboxOperand },
  options: { "password-file": passwordFileOption, "no-password": noPasswordOption, folder: folderOption },
  examples: [{ line: "sudo holdfast mail user password joe@example.org", help: "asks for the new one" }],
  async run(context, args) {
    const { domains } = pathsOf(context, args.folder);
    const storedPassword = await newPassword(context, args.mailbox, args);
    await setPassword(domains, args.mailbox, storedPassword ?? "");
    await printLines(context, [`${args.mailbox}: ${storedPassword === undefined ? "no password" : "new password"}`]);
  },
});

/** `holdfast mail user remove` */
export const userRemove = defineCommand({
  words: ["mail", "user", "remove"],
  summary: "remove a user and revoke the certificates; the mail stays where it is",
  operands: { mailbox: mailboxOperand },
  options: {
    "dry-run": { ...dryRunOption, help: "say which certificates would be revoked, and do nothing" },
    folder: folderOption,
  },
  examples: [{ line: "sudo holdfast mail user remove joe@example.org", help: "joe is let in no more" }],
  async run(context, args) {
    const paths = pathsOf(context, args.folder);
    const { mailbox } = args;
    const now = new Date();
    if (!listUsers(paths.domains, domainOf(mailbox)).some((user) => user.mailbox === mailbox)) {
      throw new Failure("not-found", `cannot remove "${mailbox}": there is no such user`);
    }
    const serials = validOf(paths.pki, mailbox, now).map(({ serial }) => serial);
    if (!args.dryRun) {
      const authority = openAuthority(paths.pki);
      await revokeCertificates(authority, serials, { reason: "cessationOfOperation", now });
      await removeUser(paths.domains, mailbox);
    }
    const would = args.dryRun ? "would be " : "";
    await printLines(context, [
      `${mailbox}: ${would}removed`,
      ...serials.map((serial) => `${serial}: ${would}revoked`),
    ]);
  },
});

/** `holdfast mail user list` */
export const userList = defineCommand({
  words: ["mail", "user", "list"],
  summary: "list users, whether they have a password, and their devices",
  operands: { domain: { arity: "optional", help: "only of this domain" } },
  options: { folder: folderOption, json: jsonOption },
  examples: [{ line: "holdfast mail user list", help: "of all domains" }],
  async run(context, args) {
    const paths = pathsOf(context, args.folder);
    const now = new Date();
    const chosen = args.domain === undefined ? domainsIn(paths.domains) : [args.domain.toLowerCase()];
    const users = chosen
      .flatMap((domain) => listUsers(paths.domains, domain))
      .map(({ mailbox, hasPassword }) => {
        return { mailbox, hasPassword, devices: validOf(paths.pki, mailbox, now).map(({ name }) => name) };
      });
    if (args.json) return printJson(context, { users });
    await printLines(
      context,
      layOutTable(
        [
          { heading: "mailbox", text: ({ mailbox }) => mailbox },
          { heading: "password", text: ({ hasPassword }) => (hasPassword ? "yes" : "no") },
          { heading: "devices", text: ({ devices }) => devices.join(", ") },
        ],
        users,
      ),
    );
  },
});

function domainOf(mailbox: string): string {
  return mailbox.slice(mailbox.lastIndexOf("@") + 1);
}
