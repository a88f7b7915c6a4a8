/** That of a large backup only what is needed is fetched, wherever it is. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { openBackup, type StoreAccess } from "../../../src/backup/index.ts";
import { createDisk, readFile } from "../../../src/disk/index.ts";
import type { TemporaryFolder } from "../../temp.ts";
import { noise } from "../sample-disk.ts";
import { CountingStore, type Counted } from "./counting-store.ts";

const mib = 2 ** 20;

/** A disk of 2 GiB of which 64 MiB do not compress, with a small file behind them. */
export async function reachDisk(folder: TemporaryFolder): Promise<string> {
  const tree = folder.join("reach-tree");
  fs.mkdirSync(`${tree}/usr`, { recursive: true });
  const block = noise(mib, 7);
  const file = fs.openSync(`${tree}/usr/large`, "w");
  for (let n = 0; n < 64; n++) {
    block.writeUInt32LE(n, 0);
    for (let at = 4; at < mib; at += 4) block.writeUInt32LE((block.readUInt32LE(at) * 1664525 + n) >>> 0, at);
    fs.writeSync(file, block);
  }
  fs.closeSync(file);
  fs.writeFileSync(`${tree}/usr/small`, noise(300_000, 8));
  const path = folder.join("reach-disk");
  await createDisk({
    path,
    sizeBytes: 2048 * mib,
    table: "gpt",
    layout: "aligned",
    partitions: [{ active: false, fileSystem: { kind: "ext4", label: "root" }, from: [tree] }],
    from: [],
    force: false,
    preallocate: false,
    nowMs: 1_700_000_000_000,
  });
  return path;
}

/** Reads one file of that disk's backup, and sees to it that little more was fetched. */
export async function assertReach(folder: TemporaryFolder, backup: string, access: StoreAccess): Promise<void> {
  const counted: Counted = { bytes: 0 };
  const through: StoreAccess["through"] = (store) => new CountingStore(store, counted);
  const pieces: Uint8Array[] = [];
  const openImage = (name: string) => openBackup(name, { ...access, through });
  for await (const piece of readFile({ image: backup, partition: 1, path: "/usr/small" }, { openImage })) {
    pieces.push(Uint8Array.from(piece));
  }
  assert.ok(Buffer.concat(pieces).equals(fs.readFileSync(folder.join("reach-tree", "usr", "small"))));
  assert.ok(counted.bytes > 300_000 && counted.bytes < 8 * mib, `${counted.bytes} bytes were read`);
}
