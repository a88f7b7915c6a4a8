/** The first, second, third … call that changes a file fails, until a change succeeds. */
import assert from "node:assert/strict";
import { syncBuiltinESMExports } from "node:module";
import fs from "node:fs";
import test from "node:test";
import { deliverToMaildir, openMaildir } from "../../src/mail/store/maildir/index.ts";
import type { MailStore, OpenMailbox } from "../../src/mail/store/index.ts";
import { temporaryFolder } from "../temp.ts";

const changing =
  "renameSync linkSync unlinkSync writeFileSync writeSync futimesSync mkdirSync openSync fdatasyncSync rmSync copyFileSync".split(
    " ",
  );

type Calls = Record<string, (...words: unknown[]) => unknown>;

/** Runs with the nth of these calls failing; whether there were so many. */
async function withFailure(nth: number, work: () => Promise<void>): Promise<boolean> {
  const calls = fs as unknown as Calls;
  const originals = new Map<string, (...words: unknown[]) => unknown>();
  let count = 0;
  const fails = (): boolean => ++count === nth;
  const failure = (name: string): Error => Object.assign(new Error(`EIO: i/o error, ${name}`), { code: "EIO" });
  for (const name of changing) {
    const original = calls[name]!;
    originals.set(name, original);
    calls[name] = (...words) => {
      if (fails()) throw failure(name);
      return original(...words);
    };
  }
  const { fsync } = fs;
  const failingSync = (fd: number, callback: fs.NoParamCallback): void => {
    if (fails()) callback(failure("fsync"));
    else fsync(fd, callback);
  };
  fs.fsync = Object.assign(failingSync, { __promisify__: fsync.__promisify__ });
  syncBuiltinESMExports();
  try {
    await work();
  } finally {
    for (const [name, original] of originals) calls[name] = original;
    fs.fsync = fsync;
    syncBuiltinESMExports();
  }
  return count >= nth;
}

/** Subjects in each mailbox, with flags, as a process sees them that starts now. */
function subjectsIn(maildir: string): Record<string, readonly string[]> {
  const seen: Record<string, readonly string[]> = {};
  for (const [name, folder] of [
    ["INBOX", ""],
    ["Archive", ".Archive/"],
  ] as const) {
    const files = ["new", "cur"].flatMap((each) =>
      fs.readdirSync(`${maildir}/${folder}${each}`).map((file) => `${each}/${file}`),
    );
    seen[name] = files
      .map((file) => {
        const text = fs.readFileSync(`${maildir}/${folder}${file}`, "utf8");
        assert.match(text, /end\n$/, `${file} is whole`);
        return `${/^Subject: (.*)$/m.exec(text)?.[1]} ${/:2,(\w*)$/.exec(file)?.[1] ?? ""}`.trim();
      })
      .sort();
  }
  return seen;
}

const mail = (subject: string): Buffer => Buffer.from(`Subject: ${subject}\r\n\r\ntext\r\nend\r\n`);

interface Change {
  readonly work: (inbox: OpenMailbox, store: MailStore, maildir: string) => Promise<unknown>;
  readonly after: Record<string, readonly string[]>;
  /** What may be in between: some of the messages changed, none lost or doubled. */
  readonly isBetween?: (seen: Record<string, readonly string[]>) => boolean;
}

const before = { INBOX: ["a", "b T", "c"], Archive: [] };
const all = (seen: Record<string, readonly string[]>): string => [...seen["INBOX"]!, ...seen["Archive"]!].sort().join();

const changes: Readonly<Record<string, Change>> = {
  "an append of two": {
    work: (_, store) =>
      store.append(
        "INBOX",
        ["d", "e"].map((subject) => ({ content: mail(subject), flags: ["New"], receivedMs: 0 })),
      ),
    after: { INBOX: ["a", "b T", "c", "d a", "e a"], Archive: [] },
  },
  "a delivery": {
    work: async (_, __, maildir) => {
      await using target = deliverToMaildir(maildir, { now: Date.now });
      await target.deliver({ content: mail("d"), from: "", recipient: "joe", receivedMs: 0 });
    },
    after: { INBOX: ["a", "b T", "c", "d"], Archive: [] },
  },
  "a copy": {
    work: (inbox) => inbox.copy([1, 3], "Archive"),
    after: { INBOX: ["a", "b T", "c"], Archive: ["a", "c"] },
  },
  "a move": {
    work: (inbox) => inbox.move([1, 3], "Archive"),
    after: { INBOX: ["b T"], Archive: ["a", "c"] },
    isBetween: (seen) => all(seen) === "a,b T,c",
  },
  flags: {
    work: (inbox) => inbox.setFlags([1, 3], { mode: "add", flags: ["\\Flagged", "New"] }),
    after: { INBOX: ["a Fa", "b T", "c Fa"], Archive: [] },
    isBetween: (seen) => all(seen).replaceAll(" Fa", "") === "a,b T,c",
  },
  "an expunge": {
    work: (inbox) => inbox.expunge(),
    after: { INBOX: ["a", "c"], Archive: [] },
  },
};

for (const [what, { work, after, isBetween }] of Object.entries(changes)) {
  test(`${what}: whichever call fails, it is done or not`, async () => {
    let failed = 0;
    for (let nth = 1, isFailing = true; isFailing; nth++) {
      await using folder = temporaryFolder();
      const maildir = folder.join("Maildir");
      await using store = openMaildir(maildir, { now: Date.now });
      await store.create("Archive");
      const flagsOf = (subject: string): string[] => (subject === "b" ? ["\\Deleted"] : []);
      await store.append(
        "INBOX",
        ["a", "b", "c"].map((subject) => ({ content: mail(subject), flags: flagsOf(subject), receivedMs: 0 })),
      );
      using inbox = store.open("INBOX", { isReadOnly: false });
      let isDone = false;
      isFailing = await withFailure(nth, async () => {
        try {
          await work(inbox, store, maildir);
          isDone = true;
        } catch {
          failed++;
        }
      });
      const seen = subjectsIn(maildir);
      const words = `${what}, call ${nth}: ${JSON.stringify(seen)}`;
      if (isDone) assert.deepEqual(seen, after, words);
      else
        assert.ok(
          [before, after].some((state) => JSON.stringify(state) === JSON.stringify(seen)) || isBetween?.(seen) === true,
          words,
        );
      // The same connection goes on, and what it shows is what is there.
      inbox.sync();
      for (const { uid } of inbox.messages) inbox.content(uid)[Symbol.dispose]();
      await store.append("INBOX", [{ content: mail("last"), flags: [], receivedMs: 0 }]);
      for (const name of ["INBOX", "Archive"] as const)
        assert.equal(store.status(name).messages, subjectsIn(maildir)[name]?.length, words);
    }
    assert.ok(failed > 1);
  });
}
