import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as path from "node:path";
import { test } from "node:test";
import { openMbox } from "../../src/mail/store/mbox/index.ts";
import { temporaryFolder } from "../temp.ts";

const fixture = path.join(import.meta.dirname, "mbox-load-fixture.ts");
const kills = Number(process.env["HOLDFAST_KILLS"] ?? 8);

test("killed under load of deliveries, moves and expunges: nothing acknowledged is lost, nothing doubled", async (t) => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  await using folder = temporaryFolder();
  const appended = new Set<string>();
  const expunged = new Set<string>();
  for (let round = 0; round < kills; round++) {
    const child = spawn(process.execPath, [fixture, folder.path, String(round)], { stdio: ["ignore", "pipe", "pipe"] });
    let [said, complained] = ["", ""];
    let left = 1 + Math.floor(random() * 12);
    child.stdout.on("data", (data: Buffer) => {
      said += data.toString();
      // Killed some time after so many deliveries: at any moment of what comes then.
      if ((said.match(/^appended/gm)?.length ?? 0) < left) return;
      left = Infinity;
      setTimeout(() => child.kill("SIGKILL"), random() * 40);
    });
    child.stderr.on("data", (data: Buffer) => (complained += data.toString()));
    await once(child, "close");
    assert.equal(child.signalCode, "SIGKILL", complained);
    for (const [, what, name = ""] of said.matchAll(/^(\w+) (\S+)\n/gm)) {
      if (what === "appended") appended.add(name);
      if (what === "expunging") expunged.add(name);
    }
    const there = await namesIn(folder.path);
    const when = `seed ${seed}, kill ${round}`;
    assert.equal(new Set(there).size, there.length, `${when}: doubled: ${there.join(" ")}`);
    const lost = [...appended].filter((name) => !there.includes(name) && !expunged.has(name));
    assert.deepEqual(lost, [], `${when}: lost`);
  }
});

/** The names of all messages, each looked at to its end. */
async function namesIn(folder: string): Promise<readonly string[]> {
  await using store = openMbox({ folder: `${folder}/mail`, inbox: `${folder}/joe` }, { now: Date.now });
  return ["INBOX", "Archive"].flatMap((name) => {
    if (!store.list().some((entry) => entry.name === name)) return [];
    using mailbox = store.open(name, { isReadOnly: true });
    return mailbox.messages.map(({ uid }) => {
      using content = mailbox.content(uid);
      const text = Buffer.from(content.read()).toString();
      const subject = /^Subject: (\S+)/.exec(text)?.[1] ?? "";
      assert.match(text, new RegExp(`\r\nend of ${subject}\r\n$`));
      return subject;
    });
  });
}
