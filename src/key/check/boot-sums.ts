import * as crypto from "node:crypto";
import { readBytes, type BlockDevice, type BlockReader } from "../../device/index.ts";
import { editFileSystem, openFileSystem, resolvePath, type FileSystem } from "../../filesystem/index.ts";
import { openPartitionDevice, type PartitionTable } from "../../partition/index.ts";
import type { Timestamp } from "../../tree/index.ts";
import { bootSumsPath, entriesFolder, settingsPath } from "../key-layout.ts";
import { filesBelow, putText } from "../menu-files.ts";
import { partitionsOfKey, readSmallFile } from "../open-key.ts";

const sectorBytes = 512;
/** What of the first sector is code, in front of the disk's number and its table. */
const bootSectorBytes = 440;
/** GRUB's core image stands in front of the first partition that holds files, and that begins early. */
const coreLimitBytes = 4 * 2 ** 20;
const listLimitBytes = 64 * 1024;
const codeLine = /^# boot code: ([0-9a-f]{64})$/m;
const fileLine = /^([0-9a-f]{64})  (.+)$/gm;

/** Notes on a new key what its boot sector, core image and files of GRUB are, so that it can be checked later. */
export async function writeBootSums(whole: BlockDevice, table: PartitionTable, now: Timestamp): Promise<void> {
  const { boot: partition } = partitionsOfKey(table, "the new key");
  await using boot = await editFileSystem(openPartitionDevice(whole, partition), { now });
  const lines: string[] = [];
  for (const path of await filesOfGrub(boot)) lines.push(`${await sumOfFile(boot, path)}  ${path.slice(1)}\n`);
  const head = `# What this key starts by, as it was made. Made by holdfast.\n# boot code: ${await sumOfCode(whole, table)}\n`;
  await putText(boot, bootSumsPath, head + lines.join(""), now);
  await boot.commit();
}

/** What of it is not as it was, a sentence each; undefined where nothing was noted when the key was made. */
export async function checkBootSums(
  whole: BlockReader,
  table: PartitionTable,
  boot: BlockReader,
): Promise<readonly string[] | undefined> {
  await using fileSystem = await openFileSystem(boot);
  const there = new Set(await filesBelow(fileSystem, "/"));
  if (!there.has(bootSumsPath)) return undefined;
  const text = (await readSmallFile(fileSystem, bootSumsPath, listLimitBytes)) ?? "";
  const code = codeLine.exec(text)?.[1];
  if (code === undefined) return ["the list of what it starts by is damaged"];
  const problems = code === (await sumOfCode(whole, table)) ? [] : ["the boot sector or GRUB's core image was changed"];
  for (const [, sum, name = ""] of text.matchAll(fileLine)) {
    if (!there.has(`/${name}`)) problems.push(`"${name}" is not there`);
    else if ((await sumOfFile(fileSystem, `/${name}`)) !== sum) problems.push(`"${name}" was changed`);
  }
  return problems;
}

/** All but what changes with the ISO files that are added, and what is the owner's. */
async function filesOfGrub(boot: FileSystem): Promise<readonly string[]> {
  const own = [settingsPath, bootSumsPath];
  const files = await filesBelow(boot, "/");
  return files.filter((path) => !own.includes(path) && !path.startsWith(`${entriesFolder}/`)).toSorted();
}

async function sumOfFile(fileSystem: FileSystem, path: string): Promise<string> {
  const hash = crypto.createHash("sha256");
  for await (const { bytes } of fileSystem.content(await resolvePath(fileSystem, path))) hash.update(bytes);
  return hash.digest("hex");
}

async function sumOfCode(whole: BlockReader, table: PartitionTable): Promise<string> {
  const { boot } = partitionsOfKey(table, "the key");
  const [first = boot] = table.partitions;
  // A GPT leaves no gap, and has a partition for the core image.
  const start = first === boot ? sectorBytes : first.startBytes;
  const end = first === boot ? boot.startBytes : first.startBytes + first.sizeBytes;
  const hash = crypto.createHash("sha256");
  hash.update(await readBytes(whole, 0, bootSectorBytes));
  hash.update(await readBytes(whole, start, Math.max(0, Math.min(end - start, coreLimitBytes))));
  return hash.digest("hex");
}
