/** What a `.fetchmailrc` says, by fetchmail's own parser and by ours. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import { suite, test } from "node:test";
import { parseRc } from "../../src/mail/fetch/rc/index.ts";
import { effectiveServers, flagOf, listOf, numberOf, textOf } from "../../src/mail/fetch/rc/effective.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const me = os.userInfo().username;
const flags =
  "fetchall keep flush limitflush forcecr pass8bits dropstatus dropdelivered mimedecode idle ssl lmtp".split(" ");
const files = "bsmtp sslcert sslkey sslcertfile sslcertpath".split(" ");
const texts = "mda preconnect postconnect sslproto sslcommonname sslfingerprint properties smtpaddress smtpname".split(
  " ",
);
const numbers = "limit fetchlimit batchlimit expunge".split(" ");

const handmade: Readonly<Record<string, string>> = {
  "the classic file of two users": `
    set daemon 300
    poll mail.example.org proto pop3 service 995
      user "joe" there with password "a\\x22b\\101" is joe here ssl sslcert "joe.pem" sslkey "/k/joe key.pem" sslcertck
      user 'pat' there has password 'it"s' is patrick here options ssl nokeep fetchall limit 100000;`,
  "names behind here and there": `poll a user joe here is theirs there keep poll b user x to y here`,
  "defaults, skip and no": `
    defaults proto imap timeout 60 no rewrite keep folder A, B
    skip one: via 127.0.0.1 user u pass p no keep
    poll two interval 3 user v pass w, mda "/usr/bin/procmail -d %T" expunge 5 # the rest
    set postmaster joe`,
  "words that are keywords": `poll "keep" user keep pass with is here poll a user 12 pass 34`,
  "a user who is not named": `poll a proto pop3 keep pass x limit 12`,
  "an unknown word": `poll a user b frobnicate`,
  "a server's option behind a user": `poll a user b timeout 3`,
  "defaults that come late": `poll a user b defaults proto pop3`,
  "a keyword without what it takes": `poll a user b folder keep`,
  "a number that is a word": `poll a timeout "12" user b`,
};

/** What fetchmail itself prints of each file, as far as we compare; `invalid` where it refuses one. */
function theirs(texts: readonly string[], folder: TemporaryFolder): readonly Json[] {
  const file = folder.join("rc");
  const dumps = texts.map((text) => {
    fs.writeFileSync(file, text, { mode: 0o600 });
    try {
      return runPeer("fetchmail", ["--configdump", "-f", file], { env: { HOME: folder.path, FETCHMAILUSER: me } });
    } catch {
      return "fetchmailrc = None";
    }
  });
  const program = [
    "import sys, json",
    "def read(dump):",
    "    names = {}",
    "    exec(dump, names)",
    "    return names['fetchmailrc']",
    "print(json.dumps([read(dump) for dump in json.load(sys.stdin)]))",
  ];
  const all = JSON.parse(
    runPeer("python3", ["-c", program.join("\n")], { input: JSON.stringify(dumps) }),
  ) as readonly (Dump | null)[];
  return all.map((dump) => (dump === null ? "invalid" : comparable(dump)));
}

interface Dump {
  readonly poll_interval: number;
  readonly servers: readonly Readonly<Record<string, Json>>[];
}

function comparable(all: Dump): Json {
  const only = (from: Readonly<Record<string, Json>>, names: readonly string[]): Json => {
    return Object.fromEntries(
      names.map((name) => [name, flags.includes(name) ? Boolean(from[name]) : (from[name] ?? null)]),
    );
  };
  return {
    interval: all.poll_interval,
    servers: all.servers.map((server) => ({
      ...(only(server, ["pollname", "via", "protocol", "service", "timeout", "interval"]) as object),
      active: Boolean(server["active"]),
      uidl: Boolean(server["uidl"]),
      users: (server["users"] as readonly Readonly<Record<string, Json>>[]).map((user) => ({
        ...(only(user, ["password", "localnames", ...flags, ...files, ...texts, ...numbers]) as object),
        remote: user["remote"] ?? null,
        rewrite: Boolean(user["rewrite"]),
        stripcr: Boolean(user["stripcr"]),
        sslcertck: Boolean(user["sslcertck"]),
        mailboxes: user["mailboxes"] ?? null,
        smtphunt: user["smtphunt"] ?? null,
      })),
    })),
  };
}

function ours(text: string, folder: TemporaryFolder): Json {
  let file: ReturnType<typeof parseRc>;
  try {
    file = parseRc(text, folder.join("rc"));
  } catch {
    return "invalid";
  }
  return {
    interval: numberOf(file.globals, "daemon"),
    servers: effectiveServers(file).map(({ name, isPolled, options, users }) => ({
      pollname: name,
      via: textOf(options, "via") ?? null,
      protocol: textOf(options, "protocol")?.toUpperCase() ?? "auto",
      service: options.has("service") ? String(options.get("service")?.value) : null,
      timeout: numberOf(options, "timeout", 300),
      interval: numberOf(options, "interval"),
      active: isPolled,
      uidl: flagOf(options, "uidl"),
      users: users.map((user) => ({
        password: user.password ?? null,
        localnames:
          user.localNames.length === 0
            ? [me]
            : user.localNames.map(({ theirs: one, ours: other }) => (one === other ? one : [one, other])),
        ...Object.fromEntries(flags.map((flag) => [flag, flagOf(user.options, flag)])),
        ...Object.fromEntries(files.map((option) => [option, pathIn(folder, textOf(user.options, option))])),
        ...Object.fromEntries(texts.map((option) => [option, textOf(user.options, option) ?? null])),
        ...Object.fromEntries(numbers.map((option) => [option, numberOf(user.options, option)])),
        remote: user.remote ?? me,
        rewrite: flagOf(user.options, "rewrite", true),
        stripcr: flagOf(user.options, "stripcr", textOf(user.options, "mda") !== undefined),
        sslcertck: flagOf(user.options, "sslcertck", true),
        mailboxes: listOf(user.options, "folder"),
        smtphunt: listOf(user.options, "smtphost").length === 0 ? ["localhost"] : listOf(user.options, "smtphost"),
      })),
    })),
  };
}

function pathIn(folder: TemporaryFolder, text: string | undefined): string | null {
  if (text === undefined) return null;
  return text.startsWith("/") ? text : folder.join(text);
}

/** Gives one random file after the other. */
function randomFiles(seed: number): () => string {
  let state = seed;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >> 8) % limit;
  };
  const pick = <Item>(items: readonly [Item, ...Item[]]): Item => items[below(items.length)] ?? items[0];
  const word = (): string => {
    const plain = ["joe", "pat", "imap.example.org", "a\\x41", "a#b", "b-c_d", "/tmp/x.pem"] as const;
    return pick([
      ...plain,
      '"a b"',
      "'x y'",
      '"keep"',
      '"l1\\tq\\\\"',
      "'q\\101'",
      '"12"',
      '"/bin/p -d %T"',
      '"s\\\nt"',
      `'it"s'`,
    ]);
  };
  const name = (): string => pick([word(), word(), word(), "keep", "12", "and"]);
  const space = (): string => pick([" ", " ", "\n", " , ", "; ", ": ", " and ", " with ", " # c\n", " options "]);
  const many = (make: () => string, limit: number): string => {
    return Array.from({ length: below(limit) }, () => make() + space()).join("");
  };
  const ofServer = (): string => {
    const number = below(900) + 1;
    return pick([
      `via ${word()}`,
      `proto ${pick(["pop3", "IMAP", "imap"])}`,
      `port ${number}`,
      `timeout ${number}`,
    ] as const);
  };
  const moreOfServer = (): string =>
    pick([ofServer(), `interval ${below(9) + 1}`, 'service "pop3s"', "uidl", "no dns"]);
  const flag = (): string => pick(["", "no "]) + pick(["keep", "ssl", "rewrite", "stripcr", "flush", "fetchall"]);
  const ofUser = (): string => {
    const option = pick([...texts, ...files] as unknown as readonly [string, ...string[]]);
    const number = pick(numbers as unknown as readonly [string, ...string[]]);
    const named = pick([
      `pass ${name()}`,
      `password ${name()}`,
      `is ${name()} here`,
      `to ${name()}`,
      `is ${name()} there`,
    ]);
    return pick([
      named,
      named,
      flag(),
      flag(),
      `${option} ${word()}`,
      `${number} ${below(1000)}`,
      `folder ${word()} ${word()}`,
    ]);
  };
  const user = (): string => `user ${name()} ${pick(["", "there "])}${space()}${many(ofUser, 6)}`;
  const server = (): string => {
    const start = `${pick(["poll", "skip", "server"])} ${word()}${space()}${many(moreOfServer, 4)}`;
    return `${start}${below(6) === 0 ? many(ofUser, 3) : many(user, 4)}\n`;
  };
  return () => {
    const globals = pick(["", `set daemon ${below(900) + 1}\n`, "set no bouncemail\n", "set syslog\n"]);
    const defaults = below(4) === 0 ? `defaults ${many(moreOfServer, 3)}${many(ofUser, 3)}\n` : "";
    return globals + defaults + Array.from({ length: below(3) + 1 }, server).join("");
  };
}

suite("a .fetchmailrc as fetchmail reads it", { skip: skipWithout("fetchmail", "python3") }, () => {
  test("files of many kinds", async () => {
    await using folder = temporaryFolder();
    const judged = theirs(Object.values(handmade), folder);
    for (const [index, [what, text]] of Object.entries(handmade).entries()) {
      assert.deepEqual(ours(text, folder), judged[index], what);
    }
  });

  test("random files", async () => {
    await using folder = temporaryFolder();
    const seed = Number(process.env["HOLDFAST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    const texts = Array.from({ length: 60 }, randomFiles(seed));
    for (const [index, judged] of theirs(texts, folder).entries()) {
      const text = texts[index] ?? "";
      assert.deepEqual(ours(text, folder), judged, `HOLDFAST_SEED=${seed}, file ${index}:\n${text}`);
    }
  });
});
