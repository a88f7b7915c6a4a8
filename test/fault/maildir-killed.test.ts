/** kill -9 under load of deliveries, appends, moves, flags and expunges, by two processes at once. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import test from "node:test";
import { setTimeout } from "node:timers/promises";
import { openMaildir } from "../../src/mail/store/maildir/index.ts";
import { Dice } from "../dice.ts";
import { temporaryFolder } from "../temp.ts";

const fixture = path.join(import.meta.dirname, "maildir-load-fixture.ts");
const rounds = process.env["HOLDFAST_WHOLE_MATRIX"] === "1" ? 50 : 8;
const perRound = 2;

/** What became of each message, by what those who changed it said before they died. */
interface Fate {
  isAdded: boolean;
  /** Together with these. */
  together?: readonly string[];
  isFlagged?: boolean;
  isRemoving?: boolean;
  isRemoved?: boolean;
}

function takeDown(fates: Map<string, Fate>, said: string): void {
  // A last line without its end was not said.
  for (const line of said.split("\n").slice(0, -1)) {
    const [word = "", ...ids] = line.split(" ");
    for (const id of ids) {
      const fate = fates.get(id) ?? { isAdded: false };
      fates.set(id, fate);
      if (word === "added") fate.isAdded = true;
      if (word === "adding") fate.together = ids;
      if (word === "flagged") fate.isFlagged = true;
      if (word === "removing") fate.isRemoving = true;
      if (word === "removed") fate.isRemoved = true;
    }
  }
}

/** Starts a process, and kills it after so long. */
async function changeAndDie(words: readonly string[], killAfterMs: number): Promise<string> {
  const child = spawn(process.execPath, [fixture, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  const ready = new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("ready\n")) resolve();
    });
  });
  const ended = once(child, "close");
  await Promise.race([ready, ended]);
  await setTimeout(killAfterMs);
  assert.equal(child.exitCode, null, "the process under load ended by itself");
  child.kill("SIGKILL");
  await ended;
  return said;
}

/** Every message file, by its subject. */
function filesBySubject(maildir: string): Map<string, string[]> {
  const files = new Map<string, string[]>();
  for (const folder of ["", ".Archive/"]) {
    for (const name of ["new", "cur"]) {
      for (const file of fs.readdirSync(`${maildir}/${folder}${name}`)) {
        const text = fs.readFileSync(`${maildir}/${folder}${name}/${file}`, "utf8");
        const [, id = ""] = /^Subject: (.*)$/m.exec(text) ?? [];
        assert.ok(text.endsWith(`end of ${id}\n`), `${file} is whole`);
        files.set(id, [...(files.get(id) ?? []), file]);
      }
    }
  }
  return files;
}

function checkFates(fates: ReadonlyMap<string, Fate>, files: ReadonlyMap<string, readonly string[]>): void {
  for (const [id, names] of files) assert.equal(names.length, 1, `${id} is there once: ${names.join(" ")}`);
  for (const [id, fate] of fates) {
    const name = files.get(id)?.[0];
    if (fate.isRemoved === true) assert.equal(name, undefined, `${id} was removed`);
    else if (fate.isAdded && fate.isRemoving !== true) assert.ok(name !== undefined, `${id} was added`);
    if (fate.isFlagged === true && name !== undefined) assert.match(name, /:2,.*F/, `${id} was flagged`);
    const together = fate.together ?? [];
    if (together.some((other) => fates.get(other)?.isRemoving === true)) continue;
    assert.ok(
      together.every((other) => files.has(other) === files.has(id)),
      `${together.join()}: all or none`,
    );
  }
}

test("a killed process loses and doubles no message, and no flag", async () => {
  const seed = Number(process.env["HOLDFAST_SEED"] ?? Date.now() % 1_000_000);
  const dice = new Dice(seed);
  await using folder = temporaryFolder();
  const maildir = folder.join("Maildir");
  await using store = openMaildir(maildir, { now: Date.now });
  await store.create("Archive");
  const views = ["INBOX", "Archive"].map((name) => store.open(name, { isReadOnly: false }));
  const fates = new Map<string, Fate>();
  try {
    for (let round = 0; round < rounds; round++) {
      const runs = Array.from({ length: perRound }, (_, index) => {
        const words = [maildir, `r${round}p${index}`, String(dice.below(1_000_000))];
        return changeAndDie(words, 30 + dice.below(300));
      });
      for (const said of await Promise.all(runs)) takeDown(fates, said);
      const status = views.map((view) => {
        view.sync();
        return store.status(view.name).messages;
      });
      const files = filesBySubject(maildir);
      checkFates(fates, files);
      const [inbox = 0, archive = 0] = status;
      assert.equal(inbox + archive, files.size, "every file is a message");
      for (const view of views) {
        view.sync();
        for (const { uid } of view.messages) view.content(uid)[Symbol.dispose]();
      }
    }
    assert.ok([...fates.values()].filter(({ isAdded }) => isAdded).length > rounds, "something was done");
  } catch (error) {
    throw new Error(`with HOLDFAST_SEED=${seed}`, { cause: error });
  }
});
