import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Failure, isSystemError } from "../../base/index.ts";
import { parseTimeLimit } from "../../bytes/index.ts";
import { problemText, readToml, TomlTable, type TomlFile, type TomlProblem } from "../../bytes/toml/index.ts";
import { mailPaths } from "./mail-folder.ts";
import { expandLocation, expandVariables } from "./mail-location.ts";
import type { GuardLimits, MailSettings } from "./mail-settings.ts";
import { readReceiving } from "./receiving-settings.ts";

/** Settings as far as they could be read, and everything that is wrong with them. */
export interface CheckedSettings {
  readonly settings: MailSettings;
  readonly problems: readonly TomlProblem[];
}

/** Reads `mail.toml` of a folder; without one, what is usual holds. Throws a `usage` failure, with line and key, where anything is wrong. */
export async function readMailSettings(folder: string): Promise<MailSettings> {
  const { settings, problems } = await checkMailSettings(folder);
  const [first, ...others] = problems;
  if (first === undefined) return settings;
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  throw new Failure("usage", `cannot use "${mailPaths(folder).settings}": ${problemText(first)}${more}`, {
    hint: "docs/guide/mail.md has all that can be in it",
  });
}

/** Reads the settings and gathers what is wrong with them. */
export async function checkMailSettings(folder: string): Promise<CheckedSettings> {
  const { root, problems } = readOrEmpty(mailPaths(folder).settings);
  const table = root ?? new TomlTable([{ values: {}, path: "" }], { lines: new Map(), found: problems });
  const settings = readRoot(table, path.resolve(folder));
  return { settings, problems: problems.toSorted((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity)) };
}

function readOrEmpty(file: string): TomlFile {
  try {
    return readToml(file, "settings");
  } catch (error) {
    if (error instanceof Failure && error.code === "not-found") return { problems: [] };
    throw error;
  }
}

const ports = { minimum: 0, maximum: 65_535 };

function readRoot(root: TomlTable, folder: string): MailSettings {
  const domains = root.strings("domains") ?? foldersIn(mailPaths(folder).domains);
  for (const domain of domains) if (!isDomain(domain)) root.complain("domains", `"${domain}" is not a domain`);
  const server = root.table("server");
  const imapsPort = server.number("imaps_port", ports) ?? 993;
  const pop3sPort = server.number("pop3s_port", ports) ?? 995;
  const isServed = (name: string): boolean => server.flag(name) ?? true;
  const account = server.string("account");
  const processes = server.number("processes", { minimum: 1, maximum: 256 });
  const audit = server.string("audit") ?? "stderr";
  const settings: MailSettings = {
    folder,
    hostName: root.string("host_name") ?? os.hostname(),
    domains: domains.map((domain) => domain.toLowerCase()),
    listen: server.strings("listen") ?? ["0.0.0.0", "::"],
    ...(isServed("imaps") ? { imapsPort } : {}),
    ...(isServed("pop3s") ? { pop3sPort } : {}),
    ...(account === undefined ? {} : { account }),
    ...(processes === undefined ? {} : { processes }),
    audit: audit === "stderr" ? audit : path.resolve(folder, audit),
    ...readMailboxes(root.table("mailboxes")),
    ...readLogin(root.table("login")),
    ...readCertificates(root.table("certificates"), folder),
    limits: readLimits(root.table("limits")),
    receiving: readReceiving(root.table("receiving"), folder),
  };
  server.finish();
  root.finish();
  return settings;
}

function readMailboxes(table: TomlTable): Pick<MailSettings, "location" | "home" | "hasSystemUsers" | "quotaBytes"> {
  const someone = { user: "joe@example.org", home: "/home/joe" };
  const location = table.string("location");
  table.parsed("location", location, (text) => expandLocation(text, someone));
  const home = table.string("home");
  table.parsed("home", home, (text) => expandVariables(text, someone));
  if (home !== undefined && !path.isAbsolute(home)) table.complain("home", "an absolute path is needed");
  const hasSystemUsers = table.flag("system_users") ?? false;
  const quotaBytes = table.size("quota");
  table.finish();
  return {
    location: location ?? "maildir:~/Maildir",
    home: home ?? "/var/mail/holdfast/%d/%n",
    hasSystemUsers,
    ...(quotaBytes === undefined ? {} : { quotaBytes }),
  };
}

function readLogin(table: TomlTable): Pick<MailSettings, "allowsExternal" | "expiredRevocationList"> {
  const allowsExternal = table.flag("certificate_alone") ?? false;
  const expiredRevocationList = table.choice("expired_revocation_list", ["refuse", "accept"]) ?? "refuse";
  table.finish();
  return { allowsExternal, expiredRevocationList };
}

function readCertificates(
  table: TomlTable,
  folder: string,
): Pick<MailSettings, "serverCertificate" | "otherAuthorities"> {
  const [certificate, key] = [table.string("server"), table.string("server_key")];
  if ((certificate === undefined) !== (key === undefined)) {
    table.complain(key === undefined ? "server" : "server_key", "server and server_key belong together");
  }
  const others = table.strings("others") ?? [];
  table.finish();
  return {
    ...(certificate === undefined || key === undefined
      ? {}
      : { serverCertificate: { certificate: path.resolve(folder, certificate), key: path.resolve(folder, key) } }),
    otherAuthorities: others.map((file) => path.resolve(folder, file)),
  };
}

const counts = { minimum: 1, maximum: 1_000_000 };

function readLimits(table: TomlTable): GuardLimits {
  const count = (key: string, usual: number): number => table.number(key, counts) ?? usual;
  const time = (key: string, usual: string): number => {
    return table.parsed(key, table.string(key), parseTimeLimit) ?? parseTimeLimit(usual);
  };
  const limits: GuardLimits = {
    connections: count("connections", 2000),
    connectionsPerAddress: count("connections_per_address", 200),
    connectionsPerCertificate: count("connections_per_certificate", 50),
    handshakesPerAddress: count("handshakes_per_address", 3000),
    refusalsPerCertificate: count("refusals_per_certificate", 20),
    refusalsPerAddress: count("refusals_per_address", 200),
    windowMs: time("window", "10m"),
    banMs: time("ban", "10m"),
    handshakeMs: time("handshake", "20s"),
    loginMs: time("login", "60s"),
  };
  table.finish();
  return limits;
}

function foldersIn(folder: string): readonly string[] {
  try {
    const entries = fs.readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return [];
    throw error;
  }
}

function isDomain(text: string): boolean {
  return /^(?!-)[\w-]{1,63}(?:\.(?!-)[\w-]{1,63})*$/.test(text);
}
