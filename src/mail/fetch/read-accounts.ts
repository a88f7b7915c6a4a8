import * as os from "node:os";
import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import type { Account } from "./account.ts";
import { passwordFromNetrc } from "./netrc.ts";
import { destinationFor, parseDestination } from "./parse-destination.ts";
import { accountsOfRc, readRc } from "./rc/index.ts";

export interface AccountsRequest {
  /** `~/.fetchmailrc` where none is named. */
  readonly file?: string;
  /** Only these servers. */
  readonly servers: readonly string[];
  /** Instead of what the file says. */
  readonly deliver?: string;
  readonly keeps: boolean;
  readonly env: NodeJS.ProcessEnv;
  /** Asks the user for a password; undefined where there is nobody to ask. */
  readonly askPassword: (account: string) => Promise<string | undefined>;
}

/** What a file of accounts says. */
export interface Accounts {
  readonly accounts: readonly Account[];
  /** Seconds between polls, where the file has them; 0: once. */
  readonly daemonSeconds: number;
}

/** Reads the accounts, and finds the passwords that the file has not. */
export async function readAccounts(request: AccountsRequest): Promise<Accounts> {
  const { env } = request;
  const home = env["HOME"] ?? os.homedir();
  const userName = env["FETCHMAILUSER"] ?? env["LOGNAME"] ?? env["USER"] ?? os.userInfo().username;
  const file = request.file ?? rcFileIn(env, home);
  const rc = readRc(path.resolve(file));
  const found = accountsOfRc(rc, { userName, home, servers: request.servers });
  const daemon = rc.globals.get("daemon")?.value;
  const deliver = request.deliver === undefined ? undefined : parseDestination(request.deliver);
  const accounts: Account[] = [];
  for (const account of found) {
    const password = account.password ?? (await passwordOf(account, home, request));
    accounts.push({
      ...account,
      ...(password === undefined ? {} : { password }),
      ...(request.keeps ? { keeps: true } : {}),
      destination: destinationFor(deliver ?? account.destination, account.localUser, home),
    });
  }
  return { accounts, daemonSeconds: typeof daemon === "number" ? daemon : 0 };
}

function rcFileIn(env: NodeJS.ProcessEnv, home: string): string {
  const own = env["FETCHMAILHOME"];
  if (own !== undefined) return path.join(own, "fetchmailrc");
  return path.join(env["HOME_ETC"] ?? home, ".fetchmailrc");
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
