import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import type { MailNotice, MailServer, WebHook } from "./plan.ts";
import type { TomlTable } from "../../bytes/toml/index.ts";
import { readSecretKeys } from "./read-secret-keys.ts";

const toldOf = ["failure", "always"] as const;
const usualPorts: Readonly<Record<string, number>> = { "smtp:": 587, "smtps:": 465 };

/** Who is told by mail; undefined where nobody is named. */
export function readMail(table: TomlTable, folder: string): MailNotice | undefined {
  const to = table.strings("to");
  if (!table.has("to")) table.complain("to", "it is missing: whom is the mail for?");
  const from = table.string("from");
  const server = readServer(table, folder);
  const notice = {
    of: table.choice("on", toldOf) ?? "failure",
    ...(from === undefined ? {} : { from }),
    ...(server === undefined ? {} : { server }),
  };
  table.finish();
  return to === undefined ? undefined : { ...notice, to };
}

function readServer(table: TomlTable, folder: string): MailServer | undefined {
  const address = table.parsed("smtp", table.string("smtp"), parseServer);
  const user = table.string("user");
  const password = readSecretKeys(table, "password", folder);
  const authorities = table.string("ca_file");
  if (user !== undefined && password === undefined)
    table.complain("user", "password_file or password_env is needed too");
  if (address === undefined) return undefined;
  return {
    ...address,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(authorities === undefined ? {} : { authorities: path.resolve(folder, authorities) }),
  };
}

function parseServer(text: string): Pick<MailServer, "host" | "port" | "isTls"> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const usualPort = usualPorts[url?.protocol ?? ""];
  if (url === undefined || usualPort === undefined || url.hostname === "") {
    throw new Failure("usage", "smtps://HOST or smtp://HOST is needed, with :PORT behind it if that is an unusual one");
  }
  if (url.password !== "" || url.username !== "") {
    throw new Failure("usage", "the user goes into user, and the password into a file of its own: password_file");
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { host, port: url.port === "" ? usualPort : Number(url.port), isTls: url.protocol === "smtps:" };
}

export function readWebHook(table: TomlTable, folder: string): WebHook | undefined {
  const url = table.parsed("url", table.string("url"), parseWebAddress);
  const secret = readSecretKeys(table, "url", folder);
  const token = readSecretKeys(table, "token", folder);
  const given = ["url", "url_file", "url_env"].filter((key) => table.has(key));
  if (given.length !== 1) table.complain(given[1] ?? "url", "one of url, url_file and url_env is needed");
  const of = table.choice("on", toldOf) ?? "failure";
  table.finish();
  const address = url ?? secret;
  return address === undefined ? undefined : { of, url: address, ...(token === undefined ? {} : { token }) };
}

function parseWebAddress(text: string): string {
  const protocol = URL.canParse(text) ? new URL(text).protocol : "";
  if (protocol === "http:" || protocol === "https:") return text;
  throw new Failure("usage", "an address is needed that begins with https:// or http://");
}
