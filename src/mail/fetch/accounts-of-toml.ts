import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, systemReason } from "../../base/index.ts";
import { parseTimeLimit } from "../../bytes/index.ts";
import { problemText, readToml, type TomlTable } from "../../bytes/toml/index.ts";
import type { TlsSettings } from "../client/index.ts";
import type { Account } from "./account.ts";
import { parseDestination } from "./parse-destination.ts";
import { refuseOpenFile } from "./private-file.ts";

interface TomlContext {
  readonly userName: string;
  readonly home: string;
}

export interface TomlAccounts {
  readonly accounts: readonly Account[];
  readonly everyMs: number;
}

const ports = { minimum: 1, maximum: 65_535 };
const counts = { minimum: 1, maximum: 1_000_000 };
const usualPorts = { pop3: { tls: 995, starttls: 110 }, imap: { tls: 993, starttls: 143 } } as const;

/** Accounts in a TOML file of our own: a table `[[account]]` each, `[usual]` for what holds where they say nothing. */
export function accountsOfToml(file: string, context: TomlContext): TomlAccounts {
  refuseOpenFile(file);
  const { root, problems } = readToml(file, "accounts");
  const accounts: Account[] = [];
  let everyMs = 0;
  if (root !== undefined) {
    everyMs = root.parsed("every", root.string("every"), parseTimeLimit) ?? 0;
    const usual = root.table("usual");
    for (const table of root.tables("account")) accounts.push(readAccount(table.over(usual), file, context));
    root.finish();
  }
  const [first] = problems.toSorted((one, other) => (one.line ?? Infinity) - (other.line ?? Infinity));
  if (first === undefined) return { accounts, everyMs };
  throw new Failure("usage", `cannot use "${file}": ${problemText(first)}`, {
    hint: "docs/guide/mail-fetch.md has all that can be in it",
  });
}

function readAccount(table: TomlTable, file: string, { userName, home }: TomlContext): Account {
  const place = (text: string): string => {
    return text.startsWith("~/") ? path.join(home, text.slice(2)) : path.resolve(path.dirname(file), text);
  };
  const host = table.string("server") ?? table.complain("server", "the name of the server is needed") ?? "";
  const protocol = table.choice("protocol", ["imap", "pop3"]) ?? "imap";
  const user = table.string("user") ?? userName;
  const tls = readTls(table, place);
  const port = table.number("port", ports) ?? usualPorts[protocol][tls.mode === "implicit" ? "tls" : "starttls"];
  const deliver = table.parsed("deliver", table.string("deliver"), parseDestination);
  const password = readPassword(table, place);
  const timeoutMs = table.parsed("timeout", table.string("timeout"), parseTimeLimit) ?? 300_000;
  const destination = deliver ?? parseDestination("smtp:localhost");
  const account: Account = {
    name: `${user}@${host}`,
    pollName: host,
    protocol,
    host,
    port,
    tls,
    user,
    ...(password === undefined ? {} : { password }),
    auth: table.choice("auth", ["any", "password", "cram-md5", "external"]) ?? "any",
    timeoutMs,
    interval: 1,
    folders: table.strings("folders") ?? [],
    localUser: table.string("local_user") ?? userName,
    destination,
    keeps: table.flag("keep") ?? false,
    flushes: false,
    fetchesAll: table.flag("all") ?? false,
    flushesLarge: false,
    idles: (table.flag("idle") ?? false) && protocol === "imap",
    limitBytes: table.size("limit") ?? 0,
    fetchLimit: table.number("fetch_limit", counts) ?? 0,
    batchLimit: 0,
    lineEnds: destination.kind === "pipe" ? "lf" : "as-is",
    header: { isInvisible: false, tracesPolls: false, dropsStatus: false, dropsDelivered: false },
  };
  table.finish();
  return account;
}

function readTls(table: TomlTable, place: (text: string) => string): TlsSettings {
  const file = (key: string): string | undefined => {
    const text = table.string(key);
    return text === undefined ? undefined : place(text);
  };
  const certificateFile = file("certificate");
  const keyFile = file("key") ?? certificateFile;
  const caFile = file("authority");
  const fingerprint = table.string("fingerprint");
  const name = table.string("server_name");
  return {
    mode: (table.choice("secure", ["tls", "starttls"]) ?? "tls") === "tls" ? "implicit" : "starttls",
    isChecked: table.flag("check") ?? true,
    ...(certificateFile === undefined ? {} : { certificateFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
    ...(caFile === undefined ? {} : { caFile }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(name === undefined ? {} : { name }),
  };
}

function readPassword(table: TomlTable, place: (text: string) => string): string | undefined {
  const password = table.string("password");
  const file = table.string("password_file");
  if (password !== undefined || file === undefined) return password;
  try {
    return fs.readFileSync(place(file), "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    return table.complain("password_file", systemReason(error));
  }
}
