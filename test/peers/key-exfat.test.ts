/** Keys whose isos is exFAT: what starts from there, what would not, and what becomes of them on larger sticks. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { addIsos, createKey, listKey } from "../../src/key/index.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { temporaryFolder } from "../temp.ts";
import { assertSound, hashOf, keyIn, loopback, stickPeers } from "./key-stick.ts";
import { livePeers, makeIso, makeLiveIso } from "./live-iso.ts";
import { assertOurs, plugIn, skipWithoutLoop, type LoopStick } from "./loop-stick.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers, serialUntil } from "./qemu.ts";

const peers = [...stickPeers, "fsck.exfat", ...machinePeers.bios];
const skip = skipWithoutLoop() || skipWithout(...peers, ...livePeers);
const mib = 2 ** 20;
const nowMs = 1_700_000_000_000;

async function write(key: string, stick: LoopStick): Promise<number> {
  assertOurs(stick);
  const words = ["key", "write", key, stick.device, "--confirm", fs.realpathSync(stick.file), "--json"];
  const { stdout, stderr, status } = await runHoldfast(words);
  assert.equal(status, 0, stderr);
  return (JSON.parse(stdout) as { writtenBytes: number }).writtenBytes;
}

test(
  "what reads exFAT starts from a stick onto which the key was grown, what does not is warned of",
  { skip },
  async () => {
    await using folder = temporaryFolder();
    const key = folder.join("key.img");
    const seeing = makeLiveIso(folder, "seeing.iso", "the ISO itself says so", ["exfat"]);
    const blind = makeLiveIso(folder, "blind.iso", "not to be seen");
    const wish = { table: "mbr", isosKind: "exfat", sizeBytes: "auto", serial: true, timeoutSeconds: 1 } as const;
    const isos = [seeing, blind];
    const { warnings, report } = await createKey({ ...wish, path: key, grubFrom: [], force: false, nowMs, isos });
    const told = warnings.filter((warning) => warning.includes("exfat"));
    assert.equal(told.length, 1, warnings.join("\n"));
    assert.match(told[0]!, /of blind\.iso cannot read exfat: it will not find its ISO on this key$/);
    assert.equal(report.isos.kind, "exfat");
    assert.ok(report.isos.freeBytes < 4 * mib, "it is as large as its files need");
    assert.match(runPeer("sfdisk", ["-d", key]), /type=7\n/);
    await using stick = plugIn(folder.join("stick"), 2_000_000_000);
    assert.ok((await write(key, stick)) > 20 * mib);
    assertSound(stick);
    assert.equal(await write(key, stick), 0);
    const after = await listKey(stick.file);
    assert.deepEqual([after.files, after.isos.uuid], [report.files, report.isos.uuid]);
    assert.ok(after.isos.freeBytes > 1_900_000_000);
    const running = "running from /mnt/seeing.iso on /dev/";
    const { stderr, status } = await runHoldfast(
      [
        "key",
        "run",
        stick.file,
        "--choose",
        "seeing.iso",
        "--until",
        running,
        "--no-acceleration",
        "--no-network",
      ].concat(["--cpus", "1", "--disk", "virtio", "--time-limit", "150"]),
    );
    assert.equal(status, 0, stderr);
  },
);

test("an exFAT with many files becomes larger, and they stay", { skip }, async () => {
  await using folder = temporaryFolder();
  const key = await keyIn(folder, { sizeBytes: 120_000_000, isosKind: "exfat", table: "gpt" });
  const piece = Buffer.concat(
    Array.from({ length: 33 * 1024 }, (_, n) => createHash("sha512").update(`${n}`).digest()),
  );
  const content = { ...loopback, large: Buffer.concat(Array.from({ length: 33 }, () => piece)) };
  const iso = makeIso(folder, "large.iso", content);
  await addIsos({ key, isos: [iso], name: "tools/with a long name, and more", isRehearsal: false, nowMs });
  await using stick = plugIn(folder.join("stick"), 3_000_000_000);
  await write(key, stick);
  assertSound(stick);
  assert.equal(await write(key, stick), 0);
  const { isos, files } = await listKey(stick.file);
  assert.ok(isos.freeBytes > 2_800_000_000);
  const name = files[0]!.name;
  const { stderr, status } = await runHoldfast(["disk", "get", `${stick.file}:3/${name}`, folder.join("copy")]);
  assert.equal(status, 0, stderr);
  assert.equal(hashOf(path.join(folder.join("copy"), path.basename(name))), hashOf(iso));
  assert.match(await serialUntil(stick.file, "tools"), /tools/);
});

test("exFAT and Secure Boot do not go together", async () => {
  await using folder = temporaryFolder();
  const key = folder.join("key.img");
  const { stderr, status } = await runHoldfast(["key", "create", key, "--fs", "exfat", "--secure-boot"]);
  assert.equal(status, 2);
  assert.match(stderr, /no signed GRUB reads exFAT, nor loads a module for it\nhint: leave out --fs/);
  assert.ok(!fs.existsSync(key));
});
