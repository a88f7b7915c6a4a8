import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { restoreBackup } from "../../src/backup/index.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const { env } = process;
const needsNtfs = { skip: skipWithout("mkfs.ntfs", "ntfsclone", "ntfscp", "bzip2", "lzop") };

/** NTFS with a file in it, whose device does not end with a whole cluster. */
function ntfsImage(folder: TemporaryFolder, clusterBytes: number): string {
  const path = folder.join(`ntfs-${clusterBytes}`);
  fs.writeFileSync(path, "");
  fs.truncateSync(path, 20_000_256);
  runPeer("mkfs.ntfs", ["-q", "-F", "-f", "-c", String(clusterBytes), path]);
  const file = folder.join("file");
  fs.writeFileSync(file, "what is in it\n".repeat(20_000));
  runPeer("ntfscp", ["-f", path, file, "file"]);
  return path;
}

test(
  "what Clonezilla saved by ntfsclone is restored to the last byte, as ntfsclone restores it",
  needsNtfs,
  async () => {
    await using folder = temporaryFolder();
    const packers = [
      [512, "gzip -c", "2MB"],
      [4096, "bzip2 -c", "2MB"],
      [65_536, "lzop -c", "1MB"],
      [1024, "cat", "1MB"],
    ] as const;
    for (const [clusterBytes, command, volume] of packers) {
      const image = ntfsImage(folder, clusterBytes);
      const backup = folder.join(`backup-${clusterBytes}`);
      fs.mkdirSync(backup);
      fs.writeFileSync(`${backup}/parts`, "sda1\n");
      const split = `split -a 2 -b ${volume} - ${backup}/sda1.ntfs-img.`;
      runPeer("sh", ["-c", `ntfsclone -q -f -s -o - ${image} | ${command} | ${split}`]);
      const theirs = folder.join(`theirs-${clusterBytes}`);
      runPeer("sh", ["-c", `ntfsclone -q -f -s -o - ${image} | ntfsclone -q -r -O ${theirs} -`]);
      const ours = folder.join(`ours-${clusterBytes}`);
      await restoreBackup({ backup, target: ours, partition: "sda1", force: false, env });
      assert.ok(fs.readFileSync(ours).equals(fs.readFileSync(theirs)), command);
    }
  },
);
