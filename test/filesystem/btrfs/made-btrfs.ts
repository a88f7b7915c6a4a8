import * as fs from "node:fs";
import { crc32c } from "../../../src/bytes/index.ts";
import { nodeHeader } from "../../../src/filesystem/btrfs/records.ts";
import { btrfsSuperblock, superblockPlaces } from "../../../src/filesystem/btrfs/superblock.ts";
import { runPeer } from "../../peers/peer.ts";
import type { TemporaryFolder } from "../../temp.ts";
import { noise } from "../ext/sample-folder.ts";

/** A folder of which mkfs.btrfs can make a file system. */
export function sampleFolder(folder: TemporaryFolder): string {
  const root = folder.join("tree");
  fs.mkdirSync(`${root}/many`, { recursive: true });
  fs.mkdirSync(`${root}/deep/er/still`, { recursive: true });
  for (let n = 0; n < 120; n++) fs.writeFileSync(`${root}/many/file-${n}`, `content ${n}\n`);
  fs.writeFileSync(`${root}/deep/er/still/large`, noise(3, 300_000));
  fs.writeFileSync(`${root}/deep/Läb ☃`, noise(4, 5000));
  fs.writeFileSync(`${root}/empty`, "");
  fs.symlinkSync("deep/er", `${root}/link`);
  return root;
}

/** An image made of a folder by mkfs.btrfs alone. */
export function madeBtrfs(folder: TemporaryFolder, tree: string, sizeMiB: number, options: string): string {
  const image = folder.join(`image-${options.replaceAll(/[^a-z0-9]/g, "")}`);
  fs.writeFileSync(image, "");
  fs.truncateSync(image, sizeMiB * 2 ** 20);
  runPeer("mkfs.btrfs", ["-q", "-f", "--rootdir", tree, ...options.split(" "), image]);
  return image;
}

/** Where all copies of all nodes stand that are as they should be. Of CRC32C alone. */
export function nodePlaces(bytes: Uint8Array): number[] {
  const { nodeBytes, uuid } = btrfsSuperblock.decode(bytes, superblockPlaces[0]);
  const places: number[] = [];
  for (let at = 2 ** 20; at + nodeBytes <= bytes.length; at += 4096) {
    const node = bytes.subarray(at, at + nodeBytes);
    if (nodeHeader.get(node, "uuid") !== uuid) continue;
    if (Buffer.from(node.buffer, node.byteOffset, 4).readUInt32LE() === sumOf(node)) places.push(at);
  }
  return places;
}

/** Makes the checksum of a node or superblock right. */
export function seal(sealed: Uint8Array): void {
  Buffer.from(sealed.buffer, sealed.byteOffset, 4).writeUInt32LE(sumOf(sealed));
}

function sumOf(sealed: Uint8Array): number {
  return ~crc32c(sealed.subarray(32)) >>> 0;
}
