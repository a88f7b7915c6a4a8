import assert from "node:assert/strict";
import { test } from "node:test";
import type { MailStore } from "../../../src/mail/store/index.ts";
import { openMaildir } from "../../../src/mail/store/maildir/index.ts";
import { temporaryFolder } from "../../temp.ts";
import { memoryMail, Talk } from "./talk.ts";

/** What a client knows of a mailbox by what it was told, and nothing else. */
class ToldMailbox {
  readonly talk: Talk;
  readonly messages: { uid?: number; flags?: string }[] = [];
  #tags = 0;

  constructor(talk: Talk) {
    this.talk = talk;
  }

  /** Sends a command, and takes in what is told; the answer's last line. */
  async run(command: string): Promise<string> {
    const tag = `t${++this.#tags}`;
    const lines = await this.talk.answerTo(`${tag} ${command}`);
    // What does not begin with a star goes on after a literal.
    for (const line of lines.join("\n").split(/\n(?=\* |t[0-9]+ )/)) this.#takeIn(line, command);
    return lines.at(-1)?.slice(tag.length + 1) ?? "";
  }

  async idle(): Promise<void> {
    await this.talk.says(`t${++this.#tags} IDLE`, "+ idling");
    this.talk.send("DONE\r\n");
    for (;;) {
      const line = await this.talk.line();
      if (line.startsWith("t")) return;
      this.#takeIn(line, "IDLE");
    }
  }

  /** Asks for what it knows only the number of. */
  async fill(): Promise<void> {
    const first = this.messages.findIndex(({ uid, flags }) => uid === undefined || flags === undefined);
    if (first !== -1) await this.run(`FETCH ${first + 1}:* (UID FLAGS)`);
  }

  #takeIn(line: string, command: string): void {
    const [, number = "", word = ""] = /^\* ([0-9]+) ([A-Z]+)/.exec(line) ?? [];
    const vanished = /^\* VANISHED ([0-9:,]+)$/.exec(line)?.[1];
    if (word === "EXPUNGE" || vanished !== undefined) {
      assert.doesNotMatch(command, /^(FETCH|STORE)/, "messages go while their numbers are in use");
    }
    if (word === "EXISTS") {
      assert.ok(Number(number) >= this.messages.length, "a mailbox shrinks only by EXPUNGE");
      while (this.messages.length < Number(number)) this.messages.push({});
    } else if (word === "EXPUNGE") {
      assert.equal(this.messages.splice(Number(number) - 1, 1).length, 1, line);
    } else if (word === "FETCH") {
      this.#takeFetch(line, Number(number));
    } else if (vanished !== undefined) {
      for (const uid of uidsOf(vanished)) {
        const index = this.messages.findIndex((message) => message.uid === uid);
        assert.notEqual(index, -1, `${line}: this client does not know it`);
        this.messages.splice(index, 1);
      }
    }
  }

  #takeFetch(line: string, number: number): void {
    const message = this.messages[number - 1];
    assert.ok(message !== undefined, line);
    const uid = /UID ([0-9]+)/.exec(line)?.[1];
    const flags = /FLAGS \(([^)]*)\)/.exec(line)?.[1];
    if (uid !== undefined) {
      assert.equal(message.uid ?? Number(uid), Number(uid), `${line}: number and UID do not belong together`);
      message.uid = Number(uid);
    }
    if (flags !== undefined) message.flags = flags;
  }
}

function uidsOf(set: string): readonly number[] {
  return set.split(",").flatMap((range) => {
    const [from = 0, to = from] = range.split(":").map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

function truth(store: MailStore): unknown {
  using mailbox = store.open("INBOX", { isReadOnly: true });
  return mailbox.messages.map(({ uid, flags }) => ({ uid, flags: flags.join(" ") }));
}

/** A small generator with a seed, so that what fails can be run again. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

function randomCommand(client: ToldMailbox, roll: (sides: number) => number): string {
  const count = client.messages.length;
  const number = 1 + roll(count);
  const uid = client.messages[number - 1]?.uid ?? 1;
  const flag = ["\\Seen", "\\Flagged", "\\Deleted", "\\Deleted", "blue", "red"][roll(6)] ?? "";
  const mode = ["", "+", "-"][roll(3)] ?? "";
  const silent = roll(2) === 0 ? ".SILENT" : "";
  const commands = [
    "NOOP",
    "EXPUNGE",
    `UID EXPUNGE ${uid}:*`,
    `UID STORE ${uid} ${mode}FLAGS (${flag})`,
    `UID FETCH ${uid}:* (FLAGS)`,
    `APPEND INBOX (${flag}) {12+}\r\nSubject: new`,
    ...(count === 0
      ? []
      : [
          `STORE ${number}:* ${mode}FLAGS (${flag})`,
          `FETCH ${number} (UID FLAGS)`,
          `FETCH ${number} BODY[TEXT]`,
          `COPY ${number} INBOX`,
          `MOVE ${number} INBOX`,
        ]),
  ];
  const command = commands[roll(commands.length)] ?? "NOOP";
  // What is silent changes the client's own mind: it knows what it set, as long as nobody else did.
  return command.startsWith("UID STORE") && mode !== "" ? command.replace("FLAGS", `FLAGS${silent}`) : command;
}

/** Three clients at work, each with a way of its own to be told; after each ten steps all know what is there. */
async function workTogether(openStore: () => MailStore, seed: number, steps: number): Promise<void> {
  const roll = dice(seed);
  await using store = openStore();
  await store.append(
    "INBOX",
    Array.from({ length: 8 }, (_, index) => ({
      content: Buffer.from(`Subject: ${index}\n\n`),
      flags: [],
      receivedMs: 0,
    })),
  );
  await using plain = await Talk.open({ openStore });
  await using condstore = await Talk.open({ openStore });
  await using qresync = await Talk.open({ openStore });
  const clients = [plain, condstore, qresync].map((talk) => new ToldMailbox(talk));
  await clients[1]?.run("ENABLE CONDSTORE");
  await clients[2]?.run("ENABLE QRESYNC IMAP4rev2");
  for (const client of clients) {
    await client.run("SELECT INBOX");
    await client.fill();
  }
  for (let step = 0; step < steps; step++) {
    // Several at once: their commands run in any order, and between each other's.
    const acting = clients.filter(() => roll(2) === 0);
    const commands = acting.map((client) => randomCommand(client, roll));
    await Promise.all(acting.map(async (client, index) => client.run(commands[index] ?? "NOOP")));
    for (const [index, client] of acting.entries()) {
      if (commands[index]?.includes("SILENT") === true) for (const message of client.messages) delete message.flags;
      await client.fill();
    }
    if (step % 10 !== 0) continue;
    for (const client of clients) {
      await (roll(2) === 0 ? client.run("NOOP") : client.idle());
      await client.fill();
      assert.deepEqual(client.messages, truth(store), `step ${step}`);
    }
  }
}

const given = process.env["HOLDFAST_SEED"];

for (const seed of given === undefined ? [1, 2, 3, 4] : [Number(given)]) {
  test(`what three clients are told adds up to what is there (seed ${seed})`, async () => {
    const mail = memoryMail();
    await workTogether(() => mail.store(), seed, 150);
  });
}

test("the same with a Maildir", async () => {
  await using folder = temporaryFolder();
  await workTogether(() => openMaildir(folder.join("Maildir"), { now: Date.now }), Number(given ?? 5), 60);
});
