import * as fs from "node:fs";
import * as path from "node:path";
import { FileReader } from "../../../src/device/index.ts";
import { openFileSystem, type FileSystemInfo, type Problem } from "../../../src/filesystem/index.ts";
import { runPeer, skipWithout } from "../../peers/peer.ts";
import { skipServed, whileServed } from "../../peers/served.ts";
import { noise } from "../ext/sample-folder.ts";
import { makeBlank } from "../recognise/recognised-file.ts";

export const skipNtfs = skipServed || skipWithout("mkfs.ntfs", "ntfsinfo", "ntfs-3g", "setfattr");

/** Makes an empty volume, as quietly as that goes. */
export function makeNtfs(image: string, sizeMiB: number, options: readonly string[] = []): void {
  makeBlank(image, sizeMiB);
  runPeer("mkfs.ntfs", ["-q", "-F", "-Q", "-p", "0", ...options, image], { stdio: ["ignore", "pipe", "ignore"] });
}

/** Runs `work` on the files of a volume, mounted by ntfs-3g. */
export async function whileNtfs(
  image: string,
  work: (root: string) => void | Promise<void>,
  options: readonly string[] = [],
): Promise<void> {
  const root = `${image}.mounted`;
  await whileServed("ntfs-3g", image, root, () => work(root), options);
}

/** A folder in which ntfs-3g compresses what is written. */
function makeCompressedFolder(folder: string): void {
  fs.mkdirSync(folder);
  runPeer("setfattr", ["-h", "-n", "system.ntfs_attrib_be", "-v", "0x00000800", folder]);
}

/** Files of every kind that ntfs-3g makes. */
export function fillWithKinds(root: string): void {
  const packed = path.join(root, "packed");
  makeCompressedFolder(packed);
  fs.writeFileSync(`${packed}/text`, "all work and no play makes Jack a dull boy\n".repeat(7000));
  fs.writeFileSync(`${packed}/noise`, noise(3, 200_000));
  fs.writeFileSync(
    `${packed}/mixed`,
    Buffer.concat([Buffer.alloc(70_000, "abc"), noise(4, 70_000), Buffer.alloc(99_999)]),
  );
  fs.writeFileSync(`${packed}/holes`, "begins");
  fs.truncateSync(`${packed}/holes`, 3_000_000);
  fs.appendFileSync(`${packed}/holes`, "ends".repeat(3000));
  fs.writeFileSync(`${packed}/short`, "in its record");
  fs.mkdirSync(`${root}/names`);
  for (const name of ["Ä ☃ 😀.txt", "日本語", "n".repeat(255), "lower", "UPPER.TXT", "a:b*?"]) {
    fs.writeFileSync(`${root}/names/${name}`, name);
  }
  fs.linkSync(`${root}/names/lower`, `${root}/names/second name`);
  fs.symlinkSync("names/日本語", `${root}/link`);
  fs.writeFileSync(`${root}/with streams`, "unnamed");
  for (const [name, size] of [
    ["short", 10],
    ["long", 60_000],
  ] as const) {
    const value = noise(size, size).toString("hex");
    fs.writeFileSync(`${root}/value`, value);
    runPeer("setfattr", ["-n", `user.${name}`, "-v", `0x${value}`, `${root}/with streams`]);
  }
  fs.rmSync(`${root}/value`);
  // Many attributes, so that they do not fit one record.
  fs.writeFileSync(`${root}/many streams`, "x");
  for (let n = 0; n < 30; n++) {
    runPeer("setfattr", ["-n", `user.stream number ${n}`, "-v", `value ${n}`.repeat(12), `${root}/many streams`]);
  }
}

export async function ntfsInfo(image: string): Promise<FileSystemInfo> {
  await using reader = await FileReader.open(image);
  await using fileSystem = await openFileSystem(reader);
  return fileSystem.info;
}

export async function ntfsProblems(image: string): Promise<Problem[]> {
  await using reader = await FileReader.open(image);
  await using fileSystem = await openFileSystem(reader);
  const problems: Problem[] = [];
  for await (const problem of fileSystem.check()) problems.push(problem);
  return problems;
}
