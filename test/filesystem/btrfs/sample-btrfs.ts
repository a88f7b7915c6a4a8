import * as fs from "node:fs";
import { runPeer } from "../../peers/peer.ts";
import { fillMounted, skipWithoutMount } from "../ext/mounted.ts";
import { noise } from "../ext/sample-folder.ts";

/** False where this kernel mounts btrfs for this process; else why not. */
export function skipWithoutBtrfsMount(): string | false {
  const skip = skipWithoutMount();
  if (skip !== false) return skip;
  const isKnown = /\tbtrfs$/m.test(fs.readFileSync("/proc/filesystems", "utf8"));
  return isKnown ? false : "this kernel has no btrfs";
}

/** Fills a mounted btrfs with what only a kernel makes: subvolumes, snapshots, clones, compressed and reserved extents. */
export async function fillBtrfs(root: string): Promise<void> {
  const btrfs = (...words: readonly string[]): string => runPeer("btrfs", words);
  await fillMounted(root);
  fs.writeFileSync(`${root}/text`, "all work and no play makes Jack a dull boy\n".repeat(20_000));
  fs.writeFileSync(`${root}/noise`, noise(77, 700_000));
  fs.writeFileSync(`${root}/short-text`, "again and ".repeat(150));
  btrfs("subvolume", "create", `${root}/home`);
  btrfs("subvolume", "create", `${root}/home/inner`);
  fs.writeFileSync(`${root}/home/inner/file`, "inside\n");
  fs.cpSync(`${root}/growing`, `${root}/home/files`, { recursive: true });
  clone(`${root}/text`, `${root}/home/clone-of-text`);
  runPeer("sync", ["-f", root]);
  writeInto(`${root}/home/clone-of-text`, 300_000, "a change");
  btrfs("subvolume", "snapshot", root, `${root}/before`);
  btrfs("subvolume", "snapshot", "-r", `${root}/home`, `${root}/small/of-home`);
  writeInto(`${root}/noise`, 100_001, "changed after the snapshot");
  fs.rmSync(`${root}/short-text`);
  btrfs("subvolume", "create", `${root}/gone`);
  fs.writeFileSync(`${root}/gone/file`, noise(5, 300_000));
  btrfs("subvolume", "delete", `${root}/gone`);
}

function clone(from: string, to: string): void {
  runPeer("cp", ["--reflink=always", from, to]);
}

function writeInto(file: string, at: number, text: string): void {
  const fd = fs.openSync(file, "r+");
  fs.writeSync(fd, text, at);
  fs.closeSync(fd);
}
