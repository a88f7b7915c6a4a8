import { createHash, type Hash } from "node:crypto";
import * as fs from "node:fs";
import { libc } from "../../src/base/index.ts";
import { decodeName, encodeName } from "../../src/bytes/index.ts";
import { treeOf, type FileSystem } from "../../src/filesystem/index.ts";
import type { DeviceNumber, FileEntry, Timestamp, TreeSource } from "../../src/tree/index.ts";

/** What can be told of a file in the same words from a file system of ours, a mounted one and a folder. */
export interface FileFacts {
  readonly kind: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly modified: Timestamp;
  readonly hash: string;
  readonly linkTarget: string;
  readonly device: DeviceNumber | undefined;
  readonly xattrs: Readonly<Record<string, string>>;
  /** The first of the names of a file with several, in the order of the names. */
  readonly firstPath: string;
}

const zeros = new Uint8Array(1024 * 1024);

/** The SHA-256 of a file of the tree, its holes as zeros. */
export async function hashOf(entry: FileEntry): Promise<string> {
  const hash = createHash("sha256");
  let at = 0;
  for await (const piece of entry.content ?? []) {
    at = hashZeros(hash, at, piece.at);
    hash.update(piece.bytes);
    at += piece.bytes.length;
  }
  hashZeros(hash, at, entry.sizeBytes);
  return hash.digest("hex");
}

function hashZeros(hash: Hash, from: number, to: number): number {
  for (let at = from; at < to; at += zeros.length) hash.update(zeros.subarray(0, Math.min(zeros.length, to - at)));
  return Math.max(from, to);
}

/** The facts of every file of a file system, by path. */
export async function factsOf(fileSystem: FileSystem, root = "/"): Promise<Map<string, FileFacts>> {
  return factsOfTree(treeOf(fileSystem, root));
}

/** The facts of every file of a tree, by path. */
export async function factsOfTree(tree: TreeSource): Promise<Map<string, FileFacts>> {
  const facts = new Map<string, FileFacts>();
  for await (const batch of tree.entries()) {
    for (const entry of batch) {
      if (entry.kind === "hardlink") {
        facts.set(entry.path, facts.get(entry.linkTarget)!);
        continue;
      }
      facts.set(entry.path, {
        kind: entry.kind,
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        sizeBytes: entry.sizeBytes,
        modified: entry.modified,
        hash: entry.kind === "file" ? await hashOf(entry) : "",
        linkTarget: entry.linkTarget ?? "",
        device: entry.device,
        xattrs: hexOf(entry.xattrs ?? new Map()),
        firstPath: entry.path,
      });
    }
  }
  return facts;
}

/** The same of a folder, as the kernel tells. */
export function factsOfFolder(folder: string): Map<string, FileFacts> {
  const facts = new Map<string, FileFacts>();
  const firstPaths = new Map<string, string>();
  const visit = (path: string): void => {
    const place = Buffer.concat([Buffer.from(`${folder}/`), encodeName(path)]);
    const stat = fs.lstatSync(place, { bigint: true });
    const kind = kindOf(stat);
    const id = `${stat.dev}:${stat.ino}`; // each subvolume of btrfs is a device of its own
    const firstPath = firstPaths.get(id) ?? path;
    firstPaths.set(id, firstPath);
    facts.set(path, {
      kind,
      mode: Number(stat.mode & 0xfffn),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      sizeBytes: kind === "file" ? Number(stat.size) : 0,
      modified: {
        seconds: Number(floorDivide(stat.mtimeNs)),
        nanoseconds: Number(stat.mtimeNs - floorDivide(stat.mtimeNs) * 1_000_000_000n),
      },
      hash: kind === "file" ? createHash("sha256").update(fs.readFileSync(place)).digest("hex") : "",
      linkTarget: kind === "symlink" ? decodeName(fs.readlinkSync(place, { encoding: "buffer" })) : "",
      device: kind === "character" || kind === "block" ? splitDevice(Number(stat.rdev)) : undefined,
      xattrs: hexOf(libc()?.listXattrs(Buffer.concat([place, Buffer.of(0)])) ?? new Map()),
      firstPath,
    });
    if (kind !== "directory") return;
    const names = fs.readdirSync(place, { encoding: "buffer" }).map((name) => decodeName(name));
    for (const name of names.sort()) visit(path === "" ? name : `${path}/${name}`);
  };
  visit("");
  return facts;
}

function floorDivide(nanoseconds: bigint): bigint {
  const quotient = nanoseconds / 1_000_000_000n;
  return nanoseconds < quotient * 1_000_000_000n ? quotient - 1n : quotient;
}

function splitDevice(rdev: number): DeviceNumber {
  return { major: Math.floor(rdev / 256) & 0xfff, minor: (rdev & 0xff) | (Math.floor(rdev / 2 ** 12) & 0xfff00) };
}

function hexOf(xattrs: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  const sorted = [...xattrs].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, value]) => [name, Buffer.from(value).toString("hex")]));
}

function kindOf(stat: fs.BigIntStats): string {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "directory";
  if (stat.isSymbolicLink()) return "symlink";
  if (stat.isCharacterDevice()) return "character";
  if (stat.isBlockDevice()) return "block";
  return stat.isFIFO() ? "fifo" : "socket";
}
