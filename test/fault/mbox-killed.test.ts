import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { appendToMbox } from "../../src/mail/store/mbox/index.ts";
import { lockToChange, rewrite, tryLockToChange } from "../../src/mail/store/mbox/change.ts";
import { bytesOfFile, fileIo, type FileIo } from "../../src/mail/store/mbox/file-io.ts";
import { MboxScanner } from "../../src/mail/store/mbox/scan.ts";
import { Failure } from "../../src/base/index.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";

const nowMs = (): number => Date.now();
const pageBytes = 4096;

function messageText(name: string, bodyBytes: number): string {
  const body = `${name} says this and that\n`.repeat(Math.ceil(bodyBytes / 20));
  return `From ${name}@example.org  Mon Nov 30 10:00:00 2026\nSubject: ${name}\n\n${body}\n`;
}

const sample = [
  messageText("one", 3000),
  messageText("two", 9000),
  messageText("three", 200),
  messageText("four", 20_000),
];

/** Subjects and lengths: what of a mailbox a user would miss. */
function messagesIn(mailbox: string): readonly string[] {
  const fd = fs.openSync(mailbox, "r");
  try {
    const scanner = new MboxScanner(bytesOfFile(fd), mailbox);
    return [...scanner.messages()].map((message) => Buffer.from(scanner.content(message)).toString());
  } finally {
    fs.closeSync(fd);
  }
}

function asRead(texts: readonly string[]): readonly string[] {
  return texts.map((text) => text.slice(text.indexOf("\n") + 1, -1).replaceAll("\n", "\r\n"));
}

/** Keeps what is on the disk at each call, and in the midst of each write, as `states/N/`. */
class RecordingIo implements FileIo {
  count = 0;
  readonly #folder: TemporaryFolder;

  constructor(folder: TemporaryFolder) {
    this.#folder = folder;
  }

  #keep(change: (fdIn: (fd: number) => string) => void = () => {}): void {
    const state = this.#folder.join("states", String(this.count++));
    fs.cpSync(this.#folder.join("mail"), state, { recursive: true });
    change((fd) => path.join(state, path.basename(fs.readlinkSync(`/proc/self/fd/${fd}`))));
    // Whoever had it is dead.
    if (fs.existsSync(path.join(state, "joe.lock"))) fs.writeFileSync(path.join(state, "joe.lock"), "4194304\n");
  }

  write(fd: number, bytes: Uint8Array, at: number): void {
    this.#keep();
    const firstPage = Math.min(bytes.length, pageBytes - (at % pageBytes));
    for (const length of [firstPage, firstPage + Math.floor(bytes.length / 2 / pageBytes) * pageBytes]) {
      if (length >= bytes.length) continue;
      this.#keep((nameOf) => {
        const copy = fs.openSync(nameOf(fd), "r+");
        fs.writeSync(copy, bytes, 0, length, at);
        fs.closeSync(copy);
      });
    }
    fileIo.write(fd, bytes, at);
  }

  truncate(fd: number, sizeBytes: number): void {
    this.#keep();
    fileIo.truncate(fd, sizeBytes);
  }

  extend(fd: number, extent: { readonly fromBytes: number; readonly toBytes: number }): void {
    this.#keep();
    fileIo.extend(fd, extent);
  }

  sync(): void {
    this.#keep();
  }

  syncFolder(): void {
    this.#keep();
  }
}

type Change = (mailbox: string, io: FileIo) => Promise<void>;

/** Removes the second message. */
const expunge: Change = async (mailbox, io) => {
  using locked = await lockToChange(mailbox, { nowMs, io });
  const [from, to] = [sample[0]!.length, sample[0]!.length + sample[1]!.length];
  const { size } = fs.fstatSync(locked.fd);
  const newSizeBytes = size - (to - from);
  rewrite(locked, { runs: [{ at: from, parts: [{ from: to, to: size }] }], newSizeBytes }, { io });
};

/** Removes the last one. */
const cut: Change = async (mailbox, io) => {
  using locked = await lockToChange(mailbox, { nowMs, io });
  rewrite(locked, { runs: [], newSizeBytes: fs.fstatSync(locked.fd).size - sample[3]!.length }, { io });
};

/** Marks the first one, for which there is no room. */
const mark: Change = async (mailbox, io) => {
  using locked = await lockToChange(mailbox, { nowMs, io });
  const added = "X-UID: 1                    \n";
  const at = sample[0]!.indexOf("\n\n") + 1;
  const { size } = fs.fstatSync(locked.fd);
  const begin = Buffer.from(sample[0]!.slice(0, at) + added);
  const parts = [begin, { from: at, to: size }];
  rewrite(locked, { runs: [{ at: 0, parts }], newSizeBytes: size + added.length }, { io });
};

const deliver: Change = async (mailbox, io) => {
  await using target = appendToMbox(mailbox, { nowMs, io });
  const text = messageText("five", 10_000);
  const content = Buffer.from(
    `${text.slice(text.indexOf("\n") + 1, -1)}From five@example.org Mon Nov 30 10:00:00 2026\n`,
  );
  await target.deliver({ content, from: "five@example.org", recipient: "joe", receivedMs: nowMs() });
};

const changes: Readonly<Record<string, Change>> = { expunge, cut, mark, deliver };

for (const [name, change] of Object.entries(changes)) {
  test(`${name}: killed at any moment, the mailbox is as before or after, with what others added since`, async () => {
    await using folder = temporaryFolder();
    const mailbox = folder.join("mail", "joe");
    fs.mkdirSync(folder.join("mail"));
    fs.writeFileSync(mailbox, sample.join(""));
    const io = new RecordingIo(folder);
    await change(mailbox, io);
    const [before, after] = [asRead(sample), messagesIn(mailbox)];
    assert.deepEqual(fs.readdirSync(folder.join("mail")), ["joe"]);
    assert.ok(io.count > 3);
    const another = messageText("six", 500);
    let befores = 0;
    for (let state = 0; state < io.count; state++) {
      for (const added of [[], [another]]) {
        restore(folder.join("states", String(state)), folder.join("mail"));
        fs.appendFileSync(mailbox, added.join("")); // as procmail does, whatever is there
        using locked = tryLockToChange(mailbox, { nowMs });
        assert.ok(locked !== undefined, `state ${state} is not locked by the dead`);
        const found = messagesIn(mailbox);
        const wanted = [before, after].map((messages) => [...messages, ...asRead(added)]);
        const which = wanted.findIndex((messages) => isSame(messages, found));
        assert.notEqual(
          which,
          -1,
          `state ${state} of ${io.count}${added.length > 0 ? ", added to" : ""}: a third state`,
        );
        if (which === 0) befores++;
        assert.deepEqual(fs.readdirSync(folder.join("mail")).sort(), ["joe", "joe.lock"]);
      }
    }
    assert.ok(befores > 0);
  });
}

/** The n-th call that changes anything does not happen. */
class FailingIo implements FileIo {
  #left: number;

  constructor(nth: number) {
    this.#left = nth;
  }

  #count(): void {
    if (--this.#left === 0) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  }

  write(fd: number, bytes: Uint8Array, at: number): void {
    // Half of it has happened by then, in whole sectors.
    const half = Math.max(0, Math.floor((at + bytes.length / 2) / 512) * 512 - at);
    if (this.#left === 1) fileIo.write(fd, bytes.subarray(0, half), at);
    this.#count();
    fileIo.write(fd, bytes, at);
  }

  truncate(fd: number, sizeBytes: number): void {
    this.#count();
    fileIo.truncate(fd, sizeBytes);
  }

  extend(fd: number, extent: { readonly fromBytes: number; readonly toBytes: number }): void {
    this.#count();
    fileIo.extend(fd, extent);
  }

  sync(): void {
    this.#count();
  }

  syncFolder(): void {
    this.#count();
  }
}

for (const [name, change] of Object.entries(changes)) {
  test(`${name}: whichever write fails, the mailbox is as before or after`, async () => {
    for (let nth = 1, isDone = false; !isDone; nth++) {
      await using folder = temporaryFolder();
      const mailbox = folder.join("joe");
      fs.writeFileSync(mailbox, sample.join(""));
      const failure = await change(mailbox, new FailingIo(nth)).then(
        () => undefined,
        (error: unknown) => error,
      );
      isDone = failure === undefined;
      if (!isDone) assert.ok(failure instanceof Failure && failure.code === "no-space", String(failure));
      {
        using locked = tryLockToChange(mailbox, { nowMs });
        assert.ok(locked !== undefined, "the locks were given back");
      }
      const found = messagesIn(mailbox);
      const others = name === "deliver" || name === "mark" ? asRead(sample) : found;
      const isBefore = isSame(found, asRead(sample));
      assert.ok(isDone || isBefore || found.length === sample.length - 1 || isSame(others, found), `write ${nth}`);
      if (name === "deliver" && !isDone) assert.ok(isBefore, "a delivery that failed is not there");
      assert.deepEqual(fs.readdirSync(folder.path), ["joe"]);
    }
  });
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Into the same file: a journal knows the file that it is for. */
function restore(state: string, mail: string): void {
  for (const name of fs.readdirSync(mail)) if (name !== "joe") fs.rmSync(path.join(mail, name));
  for (const name of fs.readdirSync(state))
    fs.writeFileSync(path.join(mail, name), fs.readFileSync(path.join(state, name)));
}
