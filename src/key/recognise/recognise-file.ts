import { Failure } from "../../base/index.ts";
import { signersOfReader } from "../../boot/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";
import { openFileSystem, probe } from "../../filesystem/index.ts";
import {
  identifyBootSector,
  openPartitionReader,
  readTable,
  type Partition,
  type PartitionTable,
} from "../../partition/index.ts";
import type { BootEntry, RecognisedIso, Refusal } from "./boot-entry.ts";
import { Disc } from "./disc.ts";
import { memoryImageLimitBytes } from "./el-torito-entries.ts";
import { startableBytes, startableOf, type Startable } from "./startable.ts";
import { recogniseIso, type RecogniseOptions } from "./recognise-iso.ts";

/** A file that is no ISO. In its entries `${isoPath}` as a path is the file itself. */
export interface RecognisedProgram {
  readonly kind: "kernel" | "efi-program" | "floppy-image" | "disk-image";
  readonly title: string;
  readonly entries: readonly BootEntry[];
  readonly refusal?: Refusal;
}

/** What kinds of files a key starts. */
export type FileKind = "iso" | RecognisedProgram["kind"];

export type RecognisedFile = { readonly kind: "iso"; readonly iso: RecognisedIso } | RecognisedProgram;

const itself = "${isoPath}";
const bootSectorBytes = 512;
const floppyBytes = [1_228_800, 1_474_560, 2_949_120];
/** Kernels that are smaller have their whole work in themselves, and use the BIOS for it. */
const linuxSmallestBytes = 4 * 1024 * 1024;

/**
 * Recognises what a boot key could start: an ISO, a kernel of Linux, a program for UEFI, the image of a floppy or disk.
 * Undefined where the file is none of these.
 */
export async function recogniseFile(
  reader: BlockReader,
  options: RecogniseOptions = {},
): Promise<RecognisedFile | undefined> {
  const family = await probe(reader);
  if (family === "iso" || family === "udf") return { kind: "iso", iso: await recogniseIso(reader, options) };
  const start = await readBytes(reader, 0, Math.min(startableBytes, reader.sizeBytes));
  const startable = startableOf(start);
  if (startable !== undefined) return signedBy(await issuersOf(reader), programOf(startable, reader.sizeBytes));
  const hasBootCode = identifyBootSector(start.subarray(0, bootSectorBytes)) !== "none";
  if (floppyBytes.includes(reader.sizeBytes) && hasBootCode) return floppyOf(reader.sizeBytes);
  const table = await readTable(reader);
  if (table === undefined) return undefined;
  return (await systemOn(reader, table)) ?? diskOf(table, hasBootCode, reader.sizeBytes);
}

function programOf({ kind, architecture, version, isEfiProgram }: Startable, sizeBytes: number): RecognisedProgram {
  const title = kind === "linux" ? `kernel ${version?.split(" ")[0] ?? ""}`.trim() : "a program for UEFI";
  const base = { title, architecture };
  const program: BootEntry = { ...base, how: { kind: "efi", program: itself }, firmwares: ["uefi"] };
  if (kind === "efi") return { kind: "efi-program", title, entries: [program] };
  const parts = { kernel: itself, initrds: [], words: [] };
  if (sizeBytes >= linuxSmallestBytes || architecture === "arm64") {
    const firmwares = architecture === "arm64" ? (["uefi"] as const) : (["bios", "uefi"] as const);
    return { kind: "kernel", title, entries: [{ ...base, how: { kind: "linux", ...parts }, firmwares }] };
  }
  const small: BootEntry = { ...base, how: { kind: "linux16", ...parts }, firmwares: ["bios"] };
  return { kind: "kernel", title, entries: isEfiProgram === true ? [small, program] : [small] };
}

async function issuersOf(reader: BlockReader): Promise<readonly string[]> {
  return [...new Set((await signersOfReader(reader)).map(({ issuer }) => issuer))];
}

function signedBy(signers: readonly string[], program: RecognisedProgram): RecognisedProgram {
  return { ...program, entries: program.entries.map((entry) => ({ ...entry, signers })) };
}

function floppyOf(sizeBytes: number): RecognisedProgram {
  return { kind: "floppy-image", ...inMemory("a floppy", "floppy", sizeBytes) };
}

/** Files by which a system is known that needs the disk it is on, not only what is loaded from it. */
const systemFiles = ["/KERNEL", "/SYSTEM", "/vmlinuz", "/boot/vmlinuz*", "/boot/grub*/grub.cfg", "/Windows", "/bsd"];

async function systemOn(reader: BlockReader, table: PartitionTable): Promise<RecognisedProgram | undefined> {
  for (const partition of table.partitions.filter(({ extended }) => !extended)) {
    const found = await firstOn(reader, partition);
    if (found === undefined) continue;
    const reason = `it is the image of a disk with a system (${found}), which looks for its disk and not for a file`;
    return { kind: "disk-image", title: diskTitle(table), entries: [], refusal: { reason, hint: stickOfItsOwn } };
  }
  return undefined;
}

/** The first of such files on a partition. */
async function firstOn(reader: BlockReader, partition: Partition): Promise<string | undefined> {
  try {
    await using fileSystem = await openFileSystem(openPartitionReader(reader, partition));
    const disc = new Disc(fileSystem);
    for (const pattern of systemFiles) {
      const [file] = await disc.glob(pattern);
      if (file !== undefined) return file.path;
    }
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return undefined; // none that is known, or damaged
    throw error;
  }
}

const stickOfItsOwn = "write it to a stick of its own";

function diskTitle({ partitions }: PartitionTable): string {
  return `a disk with ${partitions.length} partition${partitions.length === 1 ? "" : "s"}`;
}

function diskOf(table: PartitionTable, hasBootCode: boolean, sizeBytes: number): RecognisedProgram {
  const title = diskTitle(table);
  if (hasBootCode && sizeBytes <= memoryImageLimitBytes) {
    return { kind: "disk-image", ...inMemory(title, "harddisk", sizeBytes) };
  }
  const reason = hasBootCode
    ? "it is the image of a disk, and too large to be started from memory"
    : "it is the image of a disk that no BIOS starts, and for UEFI it has to be a disk";
  return { kind: "disk-image", title, entries: [], refusal: { reason, hint: stickOfItsOwn } };
}

function inMemory(title: string, medium: "floppy" | "harddisk", imageBytes: number): Omit<RecognisedProgram, "kind"> {
  const how = { kind: "memdisk", image: { kind: "whole" }, medium } as const;
  return { title, entries: [{ title, how, firmwares: ["bios"], architecture: "i386", imageBytes }] };
}
