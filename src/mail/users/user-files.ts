import * as fs from "node:fs";
import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import { publicMode, readText, replaceFile, secretMode, whileLocked } from "../own-files.ts";
import {
  encodePasswdLine,
  hasPasswdLine,
  passwordIn,
  replacePasswdLine,
  usersIn,
  type PasswdLine,
} from "./passwd-lines.ts";

/** `imap.passwd` says who there is, `imap.shadow` their passwords, each in a folder of the domain. */
const accountsName = "imap.passwd";
const secretsName = "imap.shadow";
const fileLimitBytes = 64 * 1024 * 1024;

export interface MailUser {
  /** `joe@example.org` */
  readonly mailbox: string;
  readonly hasPassword: boolean;
}

export interface NewMailUser extends Omit<PasswdLine, "user" | "password"> {
  /** `joe@example.org`, in lower case. */
  readonly mailbox: string;
  /** As it is stored; absent where the certificate alone is to open the mailbox. */
  readonly storedPassword?: string;
}

/** A folder for a domain's users, with both files. Those that are there stay as they are. Gives false where it was there. */
export async function addDomain(domains: string, domain: string): Promise<boolean> {
  const folder = path.join(domains, domain);
  fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
  return whileLocked(folder, async () => {
    const missing = [accountsName, secretsName].filter((name) => !fs.existsSync(path.join(folder, name)));
    for (const name of missing) {
      await replaceFile(path.join(folder, name), "", name === secretsName ? secretMode : publicMode);
    }
    return missing.length > 0;
  });
}

/** The domains that have a folder. */
export function domainsIn(domains: string): readonly string[] {
  if (!fs.existsSync(domains)) return [];
  const entries = fs.readdirSync(domains, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** Adds a user. The password is there first, so that nobody is ever let in without one. */
export async function addUser(domains: string, user: NewMailUser): Promise<void> {
  const { mailbox, storedPassword = "", uid, gid, home } = user;
  await change(domains, mailbox, async (files) => {
    if (hasPasswdLine(files.accounts, mailbox)) {
      throw new Failure("exists", `cannot add "${mailbox}": there is such a user already`, {
        hint: '"holdfast mail user password" sets a new password',
      });
    }
    const secret = encodePasswdLine({ user: mailbox, password: storedPassword });
    await files.writeSecrets(replacePasswdLine(files.secrets, mailbox, secret));
    const account = encodePasswdLine({
      user: mailbox,
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      ...(home === undefined ? {} : { home }),
    });
    await files.writeAccounts(replacePasswdLine(files.accounts, mailbox, account));
  });
}

/** Gives a user another password, as it is stored. */
export async function setPassword(domains: string, mailbox: string, storedPassword: string): Promise<void> {
  await change(domains, mailbox, async (files) => {
    refuseUnknown(files.accounts, mailbox);
    const secret = encodePasswdLine({ user: mailbox, password: storedPassword });
    await files.writeSecrets(replacePasswdLine(files.secrets, mailbox, secret));
  });
}

/** Takes a user out of both files: of accounts first. The user's mail stays. */
export async function removeUser(domains: string, mailbox: string): Promise<void> {
  await change(domains, mailbox, async (files) => {
    refuseUnknown(files.accounts, mailbox);
    await files.writeAccounts(replacePasswdLine(files.accounts, mailbox));
    await files.writeSecrets(replacePasswdLine(files.secrets, mailbox));
  });
}

/** The users of a domain. Throws `not-found` where the domain has no folder. */
export function listUsers(domains: string, domain: string): readonly MailUser[] {
  const files = filesOf(domains, domain);
  const [accounts, secrets] = [textOf(files.accounts), textOf(files.secrets)];
  const from = fs.existsSync(files.secrets) ? secrets : accounts;
  return usersIn(accounts, domain).map((mailbox) => {
    return { mailbox, hasPassword: passwordIn(from, mailbox) !== "" };
  });
}

interface DomainFiles {
  readonly accounts: string;
  readonly secrets: string;
  writeAccounts(text: string): Promise<void>;
  writeSecrets(text: string): Promise<void>;
}

async function change(domains: string, mailbox: string, work: (files: DomainFiles) => Promise<void>): Promise<void> {
  const files = filesOf(domains, mailbox.slice(mailbox.lastIndexOf("@") + 1));
  await whileLocked(files.folder, async () => {
    await work({
      accounts: textOf(files.accounts),
      secrets: textOf(files.secrets),
      writeAccounts: (text) => replaceFile(files.accounts, text, publicMode),
      writeSecrets: (text) => replaceFile(files.secrets, text, secretMode),
    });
  });
}

function filesOf(domains: string, domain: string) {
  const folder = path.join(domains, domain);
  if (!fs.existsSync(folder)) {
    throw new Failure("not-found", `cannot find the users of "${domain}": there is no such domain here`, {
      hint: `"holdfast mail init ${domain}" makes it one`,
    });
  }
  return { folder, accounts: path.join(folder, accountsName), secrets: path.join(folder, secretsName) };
}

function textOf(file: string): string {
  return fs.existsSync(file) ? readText(file, { limitBytes: fileLimitBytes }) : "";
}

function refuseUnknown(accounts: string, mailbox: string): void {
  if (hasPasswdLine(accounts, mailbox)) return;
  throw new Failure("not-found", `cannot find "${mailbox}": there is no such user`, {
    hint: '"holdfast mail user list" shows those that there are',
  });
}
