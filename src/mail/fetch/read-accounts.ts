import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import type { Account } from "./account.ts";
import { accountsOfToml } from "./accounts-of-toml.ts";
import { passwordFromNetrc } from "./netrc.ts";
import { destinationFor, parseDestination } from "./parse-destination.ts";
import { accountsOfRc, readRc } from "./rc/index.ts";

export interface AccountsRequest {
  /** `~/.fetchmailrc` where none is named; one whose name ends in `.toml` is of our own kind. */
  readonly file?: string;
  /** Only these servers. */
  readonly servers: readonly string[];
  /** Instead of what the file says. */
  readonly deliver?: string;
  readonly keeps: boolean;
  /** Waits for mail on every server that is spoken IMAP with. */
  readonly idles: boolean;
  /** Of the mail machine: there may be `fetch.toml`. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Asks the user for a password; undefined where there is nobody to ask. */
  readonly askPassword: (account: string) => Promise<string | undefined>;
}

/** What a file of accounts says. */
export interface Accounts {
  readonly accounts: readonly Account[];
  /** Between polls, where the file says so; 0: once. */
  readonly everyMs: number;
}

/** Reads the accounts, and finds the passwords that the file has not. */
export async function readAccounts(request: AccountsRequest): Promise<Accounts> {
  const { env } = request;
  const home = env["HOME"] ?? os.homedir();
  const userName = env["FETCHMAILUSER"] ?? env["LOGNAME"] ?? env["USER"] ?? os.userInfo().username;
  const { accounts: found, everyMs } = readFile(request, { home, userName });
  const deliver = request.deliver === undefined ? undefined : parseDestination(request.deliver);
  const accounts: Account[] = [];
  for (const account of found) {
    const password = account.password ?? (await passwordOf(account, home, request));
    accounts.push({
      ...account,
      ...(password === undefined ? {} : { password }),
      ...(request.keeps ? { keeps: true } : {}),
      ...(request.idles && account.protocol === "imap" ? { idles: true } : {}),
      destination: destinationFor(deliver ?? account.destination, account.localUser, home),
      ...(deliver?.kind === "pipe" ? { lineEnds: "lf" } : {}),
    });
  }
  return { accounts, everyMs };
}

function readFile(request: AccountsRequest, who: { readonly home: string; readonly userName: string }): Accounts {
  const file = path.resolve(request.file ?? usualFile(request, who.home));
  if (file.endsWith(".toml")) {
    const { accounts, everyMs } = accountsOfToml(file, who);
    const { servers } = request;
    const missing = servers.find((name) => !accounts.some((account) => account.host === name));
    if (missing !== undefined)
      throw new Failure("not-found", `cannot fetch from "${missing}": "${file}" has no such server`);
    return { accounts: accounts.filter(({ host }) => servers.length === 0 || servers.includes(host)), everyMs };
  }
  const rc = readRc(file);
  const daemon = rc.globals.get("daemon")?.value;
  const everyMs = typeof daemon === "number" ? daemon * 1000 : 0;
  return { accounts: accountsOfRc(rc, { ...who, servers: request.servers }), everyMs };
}

/** fetchmail's own file where there is one; else that of the mail machine. */
function usualFile({ env, folder }: AccountsRequest, home: string): string {
  const own = env["FETCHMAILHOME"];
  const rc = own === undefined ? path.join(env["HOME_ETC"] ?? home, ".fetchmailrc") : path.join(own, "fetchmailrc");
  const toml = path.join(folder, "fetch.toml");
  return !fs.existsSync(rc) && fs.existsSync(toml) ? toml : rc;
}

async function passwordOf(account: Account, home: string, request: AccountsRequest): Promise<string | undefined> {
  if (account.auth === "external") return undefined;
  const netrc = path.join(request.env["HOME_ETC"] ?? home, ".netrc");
  const hosts = [account.pollName, account.host];
  const password = passwordFromNetrc(netrc, { hosts, user: account.user }) ?? (await request.askPassword(account.name));
  if (password !== undefined) return password;
  throw new Failure("failed", `cannot log in as ${account.name}: there is no password for it`, {
    hint: "write it into the file of accounts, into ~/.netrc, or have a terminal to be asked at",
  });
}
