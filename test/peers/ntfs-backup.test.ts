/** NTFS saved and restored: by this program, and with what partclone makes. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { restoreBackup } from "../../src/backup/index.ts";
import { save } from "../backup/sample-disk.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { factsOfFolder } from "../filesystem/file-facts.ts";
import { fillWithKinds, makeNtfs, ntfsProblems, skipNtfs, whileNtfs } from "../filesystem/ntfs/sample-ntfs.ts";
import { fillWithFiles } from "../filesystem/recognise/recognised-file.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipNtfs || skipWithout("partclone.ntfs", "partclone.chkimg", "ntfsfix", "ntfscat", "sfdisk", "zstd");
const { env } = process;
const mib = 2 ** 20;
const startBytes = mib;
const quiet = ["-q", "-L", "/dev/null"];

/** A disk with an NTFS that has files, and other bytes where nothing is now. */
async function makeDisk(disk: string, volume: string): Promise<void> {
  makeNtfs(volume, 40, ["-L", "Windows"]);
  await whileNtfs(volume, (root) => {
    fs.writeFileSync(`${root}/gone`, Buffer.alloc(8 * mib, "what was there once "));
    fillWithKinds(root);
    fillWithFiles(root);
    fs.rmSync(`${root}/gone`);
  });
  fs.writeFileSync(disk, "");
  fs.truncateSync(disk, 44 * mib);
  runPeer("sfdisk", ["-q", disk], { input: "label: gpt\nstart=2048, size=81920, type=microsoft-basic-data\n" });
  const file = fs.openSync(disk, "r+");
  fs.writeSync(file, fs.readFileSync(volume), 0, 40 * mib, startBytes);
  fs.closeSync(file);
}

function partitionOf(disk: string, volume: string): void {
  fs.writeFileSync(volume, fs.readFileSync(disk).subarray(startBytes, startBytes + 40 * mib));
}

async function factsOfVolume(volume: string): Promise<ReturnType<typeof factsOfFolder>> {
  let facts: ReturnType<typeof factsOfFolder> = new Map();
  await whileNtfs(volume, (root) => void (facts = factsOfFolder(root)));
  return facts;
}

function assertSound(volume: string): void {
  runPeer("ntfsfix", ["-n", volume]);
  runPeer("ntfsinfo", ["-m", volume]);
}

function assertSecondBoot(volume: string): void {
  const bytes = fs.readFileSync(volume);
  assert.ok(bytes.subarray(0, 512).equals(bytes.subarray(bytes.length - 512)), "the last sector is the boot sector");
}

test(
  "a disk with NTFS comes back as it was, its last sector too, and only what is in use is saved",
  { skip },
  async () => {
    await using folder = temporaryFolder();
    const [disk, volume] = [folder.join("disk"), folder.join("volume")];
    await makeDisk(disk, volume);
    const before = await factsOfVolume(volume);
    partitionOf(disk, volume);
    const saved = await save(disk, folder.join("home"));
    const [part] = saved.parts;
    assert.equal(part?.saved, "image");
    assert.ok(part.usedBytes < 16 * mib, `${part.usedBytes} of 40 MiB are read`);
    assert.ok(fs.existsSync(`${saved.path}/sda1.ntfs-ptcl-img.zst.aa`));

    const image = folder.join("image");
    runPeer("sh", ["-c", `zstd -qdc ${saved.path}/sda1.ntfs-ptcl-img.zst.aa > ${image}`]);
    runPeer("partclone.chkimg", [...quiet, "-s", image]);

    const restored = folder.join("restored");
    await restoreBackup({ backup: saved.path, target: restored, force: false, env });
    const ours = folder.join("ours");
    partitionOf(restored, ours);
    assertSound(ours);
    assertSecondBoot(ours);
    assert.deepEqual(await ntfsProblems(ours), []);
    // What partclone makes of the same image is the same but for the sector that it forgets.
    const theirs = folder.join("theirs");
    runPeer("partclone.restore", [...quiet, "-W", "-s", image, "-o", theirs]);
    const [a, b] = [fs.readFileSync(ours), fs.readFileSync(theirs)];
    assert.equal(b.length, 40 * mib);
    assert.ok(a.subarray(0, -512).equals(b.subarray(0, -512)));
    assert.ok(b.subarray(-512).every((byte) => byte === 0));
    assert.deepEqual(await ntfsProblems(theirs), [
      { severity: "warning", message: "the second boot sector is not there" },
    ]);
    assert.deepEqual(await factsOfVolume(ours), before);

    // Without restoring.
    const text = runPeer("ntfscat", [volume, "packed/text"]);
    const cat = await runHoldfast(["backup", "cat", `${saved.path}:1/packed/text`]);
    assert.equal(cat.stdout, text);
    const listed = await runHoldfast(["backup", "ls", `${saved.path}:1/names`]);
    assert.match(listed.stdout, /Ä ☃ 😀\.txt/);
    const checked = await runHoldfast(["backup", "check", saved.path]);
    assert.equal(checked.status, 0, checked.stdout + checked.stderr);
    assert.doesNotMatch(checked.stdout, /boot sector/);
  },
);

test("the last sector of an NTFS that partclone saved is restored", { skip }, async () => {
  await using folder = temporaryFolder();
  const volume = folder.join("volume");
  makeNtfs(volume, 12, ["-c", "1024"]);
  await whileNtfs(volume, fillWithFiles);
  const backup = folder.join("backup");
  fs.mkdirSync(backup);
  fs.writeFileSync(`${backup}/parts`, "sda1\n");
  runPeer("partclone.ntfs", [...quiet, "-c", "-s", volume, "-o", `${backup}/sda1.ntfs-ptcl-img.uncomp`]);
  const ours = folder.join("ours");
  await restoreBackup({ backup, target: ours, partition: "sda1", force: false, env });
  assertSecondBoot(ours);
  assertSound(ours);
  assert.deepEqual(await ntfsProblems(ours), []);
});

test(
  "an NTFS in which Windows sleeps, or that is dirty, is refused by name, and saved on request",
  { skip },
  async () => {
    await using folder = temporaryFolder();
    const volume = folder.join("volume");
    makeNtfs(volume, 12);
    await whileNtfs(volume, (root) => fs.writeFileSync(`${root}/hiberfil.sys`, Buffer.alloc(50_000, "hibr")));
    const into = folder.join("home");
    await assert.rejects(save(volume, into), {
      code: "damaged",
      message: /cannot save sda: hibernated: Windows is asleep in it/,
      hint: /shutdown \/s .*--unchecked/,
    });
    makeNtfs(volume, 12);
    runPeer("ntfsfix", [volume]);
    await assert.rejects(save(volume, into), { code: "damaged", message: /dirty/, hint: /chkdsk .*--unchecked/ });
    const { parts } = await save(volume, into, { isUnchecked: true });
    assert.equal(parts[0]?.saved, "image");
  },
);
