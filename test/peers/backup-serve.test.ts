/** `backup serve`: what QEMU and libnbd read is what would be restored. */
import assert from "node:assert/strict";
import { once } from "node:events";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { restoreBackup } from "../../src/backup/index.ts";
import { sampleDisk, save } from "../backup/sample-disk.ts";
import { startHoldfast, transcriptOf } from "../cli/run-holdfast.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithout("qemu-img", "nbdinfo", "nbdcopy");
const folder = temporaryFolder();
const restored = folder.join("restored");
let backup = "";

before(async () => {
  if (skip !== false) return;
  backup = (await save(await sampleDisk(folder, "gpt"), folder.join("backups"))).path;
  await restoreBackup({ backup, target: restored, force: false, env: process.env });
});

after(() => folder[Symbol.asyncDispose]());

/** Runs the command until the work is done, with the address that it prints. */
async function whileServed(words: readonly string[], work: (address: string) => void): Promise<void> {
  const child = startHoldfast(["backup", "serve", backup, ...words]);
  const ended = transcriptOf(child);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  try {
    work(String(line).trim());
  } finally {
    child.kill("SIGINT");
  }
  const { status, stderr } = await ended;
  assert.deepEqual([status, stderr], [0, ""]);
}

test("by a socket: nbdinfo, nbdcopy and qemu-img", { skip }, async () => {
  const socket = folder.join("the socket");
  await whileServed(["--socket", socket], (address) => {
    const { exports } = JSON.parse(runPeer("nbdinfo", ["--json", address])) as { exports: Record<string, unknown>[] };
    assert.equal(exports[0]?.["export-size"], fs.statSync(restored).size);
    assert.equal(exports[0]?.["is_read_only"], true);
    assert.match(runPeer("nbdinfo", ["--list", address]), /export=""/);
    const copy = folder.join("copy");
    runPeer("nbdcopy", [address, copy]);
    assert.ok(fs.readFileSync(copy).equals(fs.readFileSync(restored)));
    assert.match(runPeer("qemu-img", ["compare", `nbd:unix:${socket}`, restored]), /Images are identical/);
  });
  assert.equal(fs.existsSync(socket), false);
});

test("by a port, which qemu-img copies from", { skip }, async () => {
  await whileServed(["--port", "0"], (address) => {
    assert.match(address, /^nbd:\/\/127\.0\.0\.1:\d+\/$/);
    assert.match(runPeer("qemu-img", ["info", address]), /virtual size: 100 MiB/);
    const copy = folder.join("copy.qcow2");
    runPeer("qemu-img", ["convert", "-O", "qcow2", address, copy]);
    assert.match(runPeer("qemu-img", ["compare", copy, restored]), /Images are identical/);
  });
});
