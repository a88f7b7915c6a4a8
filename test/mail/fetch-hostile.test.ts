/** Servers that do not keep to the protocol: a clear end, nothing lost, nothing without bound. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as net from "node:net";
import { suite, test } from "node:test";
import type { Account } from "../../src/mail/fetch/index.ts";
import { fetchMail, type FetchReport } from "../../src/mail/fetch/fetch-mail.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";

type Answer = string | ((socket: net.Socket) => void);

/** A server that answers each line that it gets by the first pattern that fits. */
async function serving(greeting: string, answers: readonly (readonly [pattern: RegExp, answer: Answer])[]) {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.write(greeting);
    let text = "";
    socket.on("data", (data) => {
      const lines = (text + data.toString("latin1")).split("\r\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        const [, answer] = answers.find(([pattern]) => pattern.test(line)) ?? [];
        const tag = line.split(" ")[0] ?? "";
        if (typeof answer === "string") socket.write(answer.replaceAll("TAG", tag), "latin1");
        else answer?.(socket);
      }
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

function account(folder: TemporaryFolder, protocol: "pop3" | "imap", port: number): Account {
  return {
    name: "joe@server",
    pollName: "server",
    protocol,
    host: "127.0.0.1",
    port,
    tls: { mode: "none", isChecked: false },
    user: "joe",
    password: "secret",
    auth: "any",
    timeoutMs: 5000,
    interval: 1,
    folders: [],
    localUser: "joe",
    destination: { kind: "mbox", path: folder.join("joe") },
    keeps: false,
    flushes: false,
    fetchesAll: false,
    flushesLarge: false,
    idles: false,
    limitBytes: 0,
    fetchLimit: 0,
    batchLimit: 0,
    lineEnds: "as-is",
    header: { isInvisible: false, tracesPolls: false, dropsStatus: false, dropsDelivered: false },
  };
}

async function fetched(
  folder: TemporaryFolder,
  protocol: "pop3" | "imap",
  greeting: string,
  answers: readonly (readonly [RegExp, Answer])[],
): Promise<FetchReport> {
  await using server = await serving(greeting, answers);
  const options = { env: {}, stateFolder: folder.join("state"), clock: Date.now, version: "0" };
  return await fetchMail([account(folder, protocol, server.port)], options);
}

function mailIn(folder: TemporaryFolder): string {
  return fs.existsSync(folder.join("joe")) ? fs.readFileSync(folder.join("joe"), "latin1") : "";
}

/** Sends without end, as long as it is read. */
function endless(text: string): (socket: net.Socket) => void {
  return (socket) => {
    const bytes = text.repeat(1000);
    const more = (): void => {
      while (!socket.destroyed && socket.write(bytes));
    };
    socket.on("drain", more);
    more();
  };
}

const message = "Subject: whole\r\n\r\ntext\r\n";
const list: readonly (readonly [RegExp, Answer])[] = [
  [/^CAPA/, "+OK\r\nUIDL\r\nPIPELINING\r\n.\r\n"],
  [/^(USER|PASS|DELE|QUIT)/, "+OK\r\n"],
  [/^LIST/, `+OK\r\n1 ${message.length}\r\n2 ${message.length}\r\n.\r\n`],
  [/^UIDL/, "+OK\r\n1 a\r\n2 b\r\n.\r\n"],
  [/^RETR 1/, `+OK\r\n${message}.\r\n`],
];

suite("fetching from hostile POP3 servers", () => {
  const cases: Readonly<Record<string, { readonly answer: Answer; readonly says: RegExp }>> = {
    "one that closes within a message": {
      answer: (socket) => socket.end("+OK\r\nSubject: half\r\n\r\nte"),
      says: /closed the connection/,
    },
    "one that never ends a message": {
      answer: (socket) => (socket.write("+OK\r\n"), endless("x\r\n")(socket)),
      says: /longer than \d+ bytes, less was announced/,
    },
    "one with a line that never ends": { answer: endless("x"), says: /a line is longer than 65536 bytes/ },
    "one that talks of something else": { answer: "HTTP/1.1 200 OK\r\n", says: /not as POP3 has it/ },
  };
  for (const [what, { answer, says }] of Object.entries(cases)) {
    test(`${what}: the message before it is here, once, and the next run gets the other`, async () => {
      await using folder = temporaryFolder();
      const report = await fetched(folder, "pop3", "+OK\r\n", [[/^RETR 2/, answer], ...list]);
      assert.match(report.accounts[0]?.failure?.message ?? "", says);
      assert.equal(mailIn(folder).match(/^Subject: whole$/gm)?.length, 1);
      assert.doesNotMatch(mailIn(folder), /half/);
      const deleted: string[] = [];
      const second = message.replace("whole", "second");
      const again = await fetched(folder, "pop3", "+OK\r\n", [
        [/^RETR 1/, "-ERR asked for again\r\n"],
        [/^RETR 2/, `+OK\r\n${second}.\r\n`],
        [/^DELE 1/, (socket) => (deleted.push("a"), socket.write("+OK\r\n"))],
        ...list,
      ]);
      assert.equal(again.fetched, 1);
      assert.deepEqual(again.accounts[0]?.folders[0]?.problems, []);
      assert.deepEqual(deleted, ["a"]);
      assert.equal(mailIn(folder).match(/^Subject: /gm)?.length, 2);
    });
  }

  test("a message that the server will not give does not keep back the others", async () => {
    await using folder = temporaryFolder();
    const report = await fetched(folder, "pop3", "+OK\r\n", [[/^RETR 2/, "-ERR [SYS/TEMP] later\r\n"], ...list]);
    assert.equal(report.fetched, 1);
    assert.match(report.accounts[0]?.folders[0]?.problems[0] ?? "", /cannot fetch message 2: .* "\[SYS\/TEMP\] later"/);
  });

  test("sizes that are wrong by some lines are no reason to refuse", async () => {
    await using folder = temporaryFolder();
    const report = await fetched(folder, "pop3", "+OK\r\n", [
      [/^LIST/, "+OK\r\n1 5\r\n.\r\n"],
      [/^UIDL/, "+OK\r\n1 a\r\n.\r\n"],
      ...list,
    ]);
    assert.equal(report.fetched, 1);
  });

  test("a list without end, and one that makes no sense", async () => {
    await using folder = temporaryFolder();
    const words = await fetched(folder, "pop3", "+OK\r\n", [[/^LIST/, "+OK\r\n1 many\r\n.\r\n"], ...list]);
    assert.match(words.accounts[0]?.failure?.message ?? "", /answers LIST with "1 many"/);
    const greeting = await fetched(folder, "pop3", "hello\r\n", list);
    assert.match(greeting.accounts[0]?.failure?.message ?? "", /not as POP3 has it/);
  });
});

const fetchAll: readonly (readonly [RegExp, Answer])[] = [
  [/ CAPABILITY/, "* CAPABILITY IMAP4rev1 UIDPLUS\r\nTAG OK\r\n"],
  [/ SELECT/, "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\nTAG OK\r\n"],
  [
    / UID FETCH 1:\*/,
    `* 1 FETCH (UID 1 FLAGS () RFC822.SIZE ${message.length})\r\n* 2 FETCH (FLAGS () UID 2 RFC822.SIZE ${message.length})\r\nTAG OK\r\n`,
  ],
  [/ UID FETCH 1 /, `* 1 FETCH (UID 1 BODY[] {${message.length}}\r\n${message})\r\nTAG OK\r\n`],
  [/./, "TAG OK\r\n"],
];

suite("fetching from hostile IMAP servers", () => {
  const cases: Readonly<Record<string, { readonly answer: Answer; readonly says: RegExp }>> = {
    "one that announces more than it said before": {
      answer: `* 2 FETCH (UID 2 BODY[] {999999999}\r\n${"x\r\n".repeat(700_000)}`,
      says: /less was announced/,
    },
    "one that closes within a literal": {
      answer: (socket) => socket.end("* 2 FETCH (UID 2 BODY[] {50}\r\nSubject: half"),
      says: /closed the connection/,
    },
    "one that sends another message": {
      answer: `* 9 FETCH (UID 9 BODY[] {4}\r\nhalf)\r\nTAG OK\r\n`,
      says: /a message that nobody asked for/,
    },
    "one that sends it twice": {
      answer: `* 2 FETCH (UID 2 BODY[] {4}\r\nhalf)\r\n* 2 FETCH (UID 2 BODY[] {4}\r\nhalf)\r\nTAG OK\r\n`,
      says: /a message that nobody asked for/,
    },
    "one with a word that never ends": { answer: endless("x"), says: /a line is longer than/ },
    "one with endless small literals": {
      answer: (socket) => (socket.write("* 2 FETCH (UID 2"), endless(" X {1}\r\ny")(socket)),
      says: /a response without end/,
    },
    "one with another tag": { answer: "H999 OK\r\n", says: /not as IMAP has it/ },
  };
  for (const [what, { answer, says }] of Object.entries(cases)) {
    test(`${what}: the message before it is here, and nothing else`, async () => {
      await using folder = temporaryFolder();
      const report = await fetched(folder, "imap", "* OK\r\n", [[/ UID FETCH 2 /, answer], ...fetchAll]);
      assert.match(report.accounts[0]?.failure?.message ?? "", says);
      assert.equal(mailIn(folder).match(/^Subject: whole$/gm)?.length, 1);
      assert.doesNotMatch(mailIn(folder), /half/);
    });
  }

  test("a message may come as a quoted string, its UID behind it", async () => {
    await using folder = temporaryFolder();
    const report = await fetched(folder, "imap", "* OK\r\n", [
      [/ UID FETCH 2 /, `* 2 FETCH (BODY[] "Subject: quoted \\"so\\"" UID 2)\r\nTAG OK\r\n`],
      ...fetchAll,
    ]);
    assert.equal(report.fetched, 2);
    assert.match(mailIn(folder), /^Subject: quoted "so"$/m);
  });

  test("after another UIDVALIDITY, UIDs are those of other messages", async () => {
    await using folder = temporaryFolder();
    const refuseToDelete: readonly [RegExp, Answer] = [/ UID STORE/, "TAG NO not now\r\n"];
    const one: readonly [RegExp, Answer] = [
      / UID FETCH 2 /,
      `* 2 FETCH (UID 2 BODY[] {${message.length}}\r\n${message})\r\nTAG OK\r\n`,
    ];
    const first = await fetched(folder, "imap", "* OK\r\n", [refuseToDelete, one, ...fetchAll]);
    assert.match(first.accounts[0]?.failure?.message ?? "", /not now/);
    const same = await fetched(folder, "imap", "* OK\r\n", [one, ...fetchAll]);
    assert.equal(same.fetched, 0);
    const other: readonly [RegExp, Answer] = [/ SELECT/, "* 2 EXISTS\r\n* OK [UIDVALIDITY 8] x\r\nTAG OK\r\n"];
    const anew = await fetched(folder, "imap", "* OK\r\n", [other, one, ...fetchAll]);
    assert.equal(anew.fetched, 2);
    // What is known of the old ones is forgotten for good: these are new to whoever reads the journal.
    const third: readonly [RegExp, Answer] = [
      / UID FETCH 1:\*/,
      "* 1 FETCH (UID 3 FLAGS () RFC822.SIZE 20)\r\nTAG OK\r\n",
    ];
    const body: readonly [RegExp, Answer] = [
      / UID FETCH 3 /,
      `* 1 FETCH (UID 3 BODY[] {${message.length}}\r\n${message})\r\nTAG OK\r\n`,
    ];
    assert.equal(
      (await fetched(folder, "imap", "* OK\r\n", [other, third, body, refuseToDelete, ...fetchAll])).fetched,
      1,
    );
    const back: readonly [RegExp, Answer] = [/ SELECT/, "* 2 EXISTS\r\n* OK [UIDVALIDITY 9] x\r\nTAG OK\r\n"];
    const none: readonly [RegExp, Answer] = [/ UID FETCH 1:\*/, "TAG OK\r\n"];
    await fetched(folder, "imap", "* OK\r\n", [back, none, ...fetchAll]);
    assert.equal((await fetched(folder, "imap", "* OK\r\n", [back, third, body, ...fetchAll])).fetched, 1);
  });
});
