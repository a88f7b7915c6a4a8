/** POP3 over a pair of sockets: the commands of RFC 1939, 2449, 5034 and 6856, and clients that behave badly. */
import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { Failure } from "../../../src/base/index.ts";
import type { Credentials } from "../../../src/mail/connection.ts";
import { servePop3 } from "../../../src/mail/pop3/index.ts";
import type { MailStore, OpenMailbox } from "../../../src/mail/store/index.ts";
import { MemoryMail } from "../memory-store.ts";

interface Options {
  readonly allowsExternal?: boolean;
  readonly idleMs?: number;
  readonly store?: MailStore;
  readonly signal?: AbortSignal;
}

function open(mail: MemoryMail, options: Options = {}) {
  const [client, socket] = duplexPair();
  const chunks: Buffer[] = [];
  const logIn = async (given: Credentials) => {
    const isRight = given.kind === "external" ? given.user !== "eve" : given.user === "joe" && given.password === "s p";
    if (!isRight) throw new Failure("refused", "cannot log in");
    return { user: "joe@example.org", store: options.store ?? mail.store() };
  };
  const { allowsExternal = false, idleMs, signal = new AbortController().signal } = options;
  const ended = servePop3({ hostName: "mail.example.org", ...(idleMs === undefined ? {} : { idleMs }) })({
    socket,
    holder: { mailbox: "joe@example.org", serial: "01", fingerprint: "00" },
    remoteAddress: "192.0.2.1",
    signal,
    allowsExternal,
    logIn,
  });
  return { client, chunks, ended };
}

/** All that the server says to lines that are sent at once, behind its greeting. */
async function session(mail: MemoryMail, lines: readonly string[], options: Options = {}): Promise<string> {
  const { client, chunks, ended } = open(mail, options);
  client.on("data", (bytes: Buffer) => chunks.push(bytes));
  client.end(lines.map((line) => `${line}\r\n`).join(""));
  await ended;
  await new Promise((resolve) => void setImmediate(resolve));
  const text = Buffer.concat(chunks).toString("latin1");
  assert.match(text, /^\+OK mail\.example\.org POP3 is ready\r\n/);
  return text.slice(text.indexOf("\r\n") + 2);
}

const login = ["USER joe", "PASS s p"];
const loggedIn = "+OK\r\n+OK logged in\r\n";

function sample(): MemoryMail {
  const mail = new MemoryMail();
  mail.add(
    "INBOX",
    "Subject: one\r\n\r\nHello\r\n",
    "Subject: two\r\n\r\n.\r\n..\r\n.x\r\nlast without an end",
    "Subject: three\r\n\r\n1\r\n2\r\n3\r\n",
  );
  return mail;
}

async function afterLogin(mail: MemoryMail, ...lines: readonly string[]): Promise<string> {
  const text = await session(mail, [...login, ...lines]);
  assert.equal(text.slice(0, loggedIn.length), loggedIn);
  return text.slice(loggedIn.length);
}

test("STAT, LIST, UIDL: numbers, sizes as they are sent, and Dovecot's unique ids", async () => {
  const mail = sample();
  const { uidValidity } = mail.store().status("INBOX");
  const id = (uid: number): string => `0000000${uid}${uidValidity.toString(16).padStart(8, "0")}`;
  assert.equal(
    await afterLogin(mail, "STAT", "LIST", "LIST 2", "UIDL", "uidl 3", "LIST 4", "UIDL x", "LIST 0"),
    [
      "+OK 3 96",
      "+OK\r\n1 23\r\n2 46\r\n3 27\r\n.",
      "+OK 2 46",
      `+OK\r\n1 ${id(1)}\r\n2 ${id(2)}\r\n3 ${id(3)}\r\n.`,
      `+OK 3 ${id(3)}`,
      ...Array<string>(3).fill("-ERR there is no such message"),
      "",
    ].join("\r\n"),
  );
});

test("RETR and TOP: dots are doubled, a last line is ended, and no more leaves than was asked for", async () => {
  const mail = sample();
  assert.equal(
    await afterLogin(mail, "RETR 2", "TOP 3 2", "TOP 3 0", "TOP 3 99", "TOP 3", "RETR 9"),
    [
      "+OK 46 octets\r\nSubject: two\r\n\r\n..\r\n...\r\n..x\r\nlast without an end\r\n.",
      "+OK\r\nSubject: three\r\n\r\n1\r\n2\r\n.",
      "+OK\r\nSubject: three\r\n\r\n.",
      "+OK\r\nSubject: three\r\n\r\n1\r\n2\r\n3\r\n.",
      "-ERR a number of lines is needed",
      "-ERR there is no such message",
      "",
    ].join("\r\n"),
  );
});

test("DELE counts with QUIT only; RSET takes it back; what was read is seen then", async () => {
  const mail = sample();
  const uids = (): number[] => {
    using box = mail.store().open("INBOX", { isReadOnly: true });
    return box.messages.map(({ uid }) => uid);
  };
  assert.equal(await afterLogin(mail, "DELE 1"), "+OK it is deleted when you quit\r\n"); // hung up without QUIT
  assert.deepEqual(uids(), [1, 2, 3]);
  await afterLogin(mail, "DELE 1", "RSET", "QUIT");
  assert.deepEqual(uids(), [1, 2, 3]);
  assert.equal(
    await afterLogin(mail, "RETR 2", "DELE 1", "DELE 1", "RETR 1", "STAT", "LIST", "QUIT"),
    [
      "+OK 46 octets\r\nSubject: two\r\n\r\n..\r\n...\r\n..x\r\nlast without an end\r\n.",
      "+OK it is deleted when you quit",
      "-ERR that message is deleted",
      "-ERR that message is deleted",
      "+OK 2 73",
      "+OK\r\n2 46\r\n3 27\r\n.",
      "+OK",
      "",
    ].join("\r\n"),
  );
  assert.deepEqual(uids(), [2, 3]);
  using box = mail.store().open("INBOX", { isReadOnly: true });
  assert.deepEqual(
    box.messages.map(({ flags }) => flags),
    [["\\Seen"], []],
  );
});

test("logging in: USER and PASS, AUTH PLAIN and LOGIN in one line or two, EXTERNAL where it is allowed", async () => {
  const plain = Buffer.from("\0joe\0s p").toString("base64");
  const [joe, password] = ["joe", "s p"].map((text) => Buffer.from(text).toString("base64"));
  const cases: readonly (readonly [readonly string[], string])[] = [
    [[`AUTH PLAIN ${plain}`], "+OK logged in\r\n"],
    [["AUTH PLAIN", plain], "+ \r\n+OK logged in\r\n"],
    [["AUTH LOGIN", joe!, password!], "+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n+OK logged in\r\n"],
    [["AUTH PLAIN", "*"], "+ \r\n-ERR cancelled\r\n"],
    [["AUTH PLAIN ????"], "-ERR cancelled\r\n"],
    [["AUTH PLAIN AAAA"], "-ERR that response cannot be read\r\n"],
    [["AUTH CRAM-MD5"], "-ERR that mechanism is not known\r\n"],
    [["PASS s p"], "-ERR USER comes first\r\n"],
    [["USER joe", "PASS s"], "+OK\r\n-ERR [AUTH] user, password or certificate do not fit\r\n"],
    [["STAT", "RETR 1", "DELE 1"], "-ERR there is no such command before the login\r\n".repeat(3)],
  ];
  for (const [lines, said] of cases) assert.equal(await session(sample(), lines), said, lines.join(" "));
  const options = { allowsExternal: true };
  assert.equal(await session(sample(), ["AUTH EXTERNAL ="], options), "+OK logged in\r\n");
  assert.equal(await session(sample(), ["AUTH EXTERNAL", ""], options), "+ \r\n+OK logged in\r\n");
  const eve = Buffer.from("eve").toString("base64");
  assert.match(await session(sample(), [`AUTH EXTERNAL ${eve}`], options), /^-ERR \[AUTH\]/);
  assert.match(
    await session(sample(), ["CAPA", "AUTH"], options),
    /SASL PLAIN LOGIN EXTERNAL\r\n[^]*EXTERNAL\r\n\.\r\n$/,
  );
});

test("CAPA before and after the login, UTF8", async () => {
  const text = await session(sample(), ["CAPA", "UTF8", ...login, "CAPA"]);
  const [before = "", after = ""] = text.split("+OK logged in\r\n");
  for (const part of [before, after]) {
    for (const word of ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "UTF8 USER", "USER"]) {
      assert.match(part, new RegExp(`^${word}\r$`, "m"));
    }
  }
});

test("a message that another program removed is an error, and the session goes on", async () => {
  const mail = sample();
  const store = mail.store();
  const failing: MailStore = {
    ...store,
    open: (name, options) => {
      const box: OpenMailbox = store.open(name, options);
      return new Proxy(box, {
        get: (target, key) => {
          if (key === "content") return () => assert.fail(new Failure("not-found", "cannot read"));
          const value = Reflect.get(target, key, target) as unknown;
          return typeof value === "function" ? (value.bind(target) as unknown) : value;
        },
      });
    },
  };
  assert.equal(
    await session(mail, [...login, "RETR 1", "STAT"], { store: failing }),
    `${loggedIn}-ERR [SYS/TEMP] that message cannot be read\r\n+OK 3 96\r\n`,
  );
});

test("a line as long as any can be, and one longer", async () => {
  const user = `USER ${"x".repeat(12_288 - 6)}`;
  assert.equal(await session(sample(), [user, "NOOP"]), "+OK\r\n-ERR there is no such command before the login\r\n");
  assert.equal(await session(sample(), [`${user}xx`, "NOOP"]), "");
});

test("who is silent for too long, or does not read, is let go", async () => {
  assert.equal(await silent({ idleMs: 1 }), true);
  const end = new AbortController();
  const waiting = silent({ signal: end.signal });
  end.abort("revoked");
  assert.equal(await waiting, true);
  // A client that asks and asks, and takes nothing.
  const mail = new MemoryMail();
  mail.add("INBOX", `Subject: big\r\n\r\n${"x".repeat(1_000_000)}\r\n`);
  const { client, ended } = open(mail, { idleMs: 20 });
  client.write([...login, ...Array<string>(100).fill("RETR 1"), ""].join("\r\n"));
  await ended;
  assert.ok(client.readableLength < 10_000_000);
});

async function silent(options: Options): Promise<boolean> {
  const { client, ended } = open(sample(), options);
  client.resume();
  await ended;
  return true;
}
