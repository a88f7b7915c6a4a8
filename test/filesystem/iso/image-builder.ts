import { bothU32 } from "../../../src/filesystem/iso/both-endian.ts";
import { directoryRecord } from "../../../src/filesystem/iso/directory-record.ts";
import { continuationArea, type SystemUseEntry } from "../../../src/filesystem/iso/system-use.ts";
import { firstDescriptorAt, sectorBytes, volumeDescriptor } from "../../../src/filesystem/iso/volume-descriptor.ts";

/** A record of the directory that an image is made of. */
export interface TestRecord {
  readonly name: string;
  readonly data?: Uint8Array;
  /** In place of what the data has. */
  readonly dataBytes?: number;
  readonly flags?: number;
  readonly systemUse?: readonly Uint8Array[];
  readonly unitBlocks?: number;
  readonly extentBlock?: number;
}

export interface TestImage {
  readonly records: readonly TestRecord[];
  /** Of the root's own record. */
  readonly rootUse?: readonly Uint8Array[];
  readonly descriptors?: readonly Uint8Array[];
}

export const rootBlock = 24;

/** The bytes of an image with one directory, in block 24; the files' data follow it. */
export function isoImage({ records, rootUse = [], descriptors = [] }: TestImage): Uint8Array {
  const blocks: Uint8Array[] = [];
  const firstDataBlock = rootBlock + 1;
  const place = (data: Uint8Array): number => {
    const block = firstDataBlock + blocks.length;
    for (let at = 0; at < data.length; at += sectorBytes) blocks.push(data.subarray(at, at + sectorBytes));
    return block;
  };
  const self = (name: number, systemUse: readonly Uint8Array[]): Uint8Array =>
    record({ name: String.fromCharCode(name), flags: 2, dataBytes: sectorBytes, systemUse }, rootBlock);
  const directory = Buffer.concat([
    self(0, rootUse),
    self(1, []),
    ...records.map((one) => record(one, one.extentBlock ?? place(one.data ?? new Uint8Array(0)))),
  ]);
  if (directory.length > sectorBytes) throw new RangeError("the directory does not fit a sector");
  const image = Buffer.alloc((firstDataBlock + blocks.length) * sectorBytes);
  const primary = descriptor(1, image.length / sectorBytes);
  [primary, ...descriptors, descriptor(255, 0)].forEach((one, n) =>
    image.set(one, firstDescriptorAt + n * sectorBytes),
  );
  image.set(directory, rootBlock * sectorBytes);
  blocks.forEach((block, n) => image.set(block, (firstDataBlock + n) * sectorBytes));
  return image;
}

/** A volume descriptor whose tree is the one directory. */
export function descriptor(
  type: number,
  spaceBlocks: number,
  more: { version?: number; escapes?: string } = {},
): Uint8Array {
  const rootRecord = record({ name: "\0", flags: 2, dataBytes: sectorBytes }, rootBlock);
  const escapeSequences = new Uint8Array(32);
  escapeSequences.set(Buffer.from(more.escapes ?? "", "latin1"));
  const spaces = new Uint8Array(32).fill(0x20);
  return volumeDescriptor.encode({
    type,
    standardId: "CD001",
    version: more.version ?? 1,
    systemId: spaces,
    volumeId: Uint8Array.from([...Buffer.from("TEST"), ...spaces.subarray(4)]),
    spaceBlocks,
    escapeSequences,
    blockSizeBytes: sectorBytes,
    rootRecord: rootRecord.subarray(0, 34),
    fileStructureVersion: 1,
  });
}

function record(one: TestRecord, extentBlock: number): Uint8Array {
  const name = Buffer.from(one.name, "latin1");
  const use = Buffer.concat(one.systemUse ?? []);
  const useAt = directoryRecord.sizeBytes + name.length + ((name.length & 1) === 0 ? 1 : 0);
  const bytes = new Uint8Array(useAt + use.length + (use.length & 1));
  directoryRecord.patch(bytes, {
    lengthBytes: bytes.length,
    extentBlock,
    dataBytes: one.dataBytes ?? one.data?.length ?? 0,
    recorded: Uint8Array.of(124, 5, 17, 9, 30, 0, 8), // 2024-05-17 09:30:00, two hours east
    flags: one.flags ?? 0,
    unitBlocks: one.unitBlocks ?? 0,
    volumeNumber: 1,
    nameBytes: name.length,
  });
  bytes.set(name, directoryRecord.sizeBytes);
  bytes.set(use, useAt);
  return bytes;
}

/** A system use entry of version 1. */
export function entry(
  signature: SystemUseEntry["signature"],
  ...content: readonly (number | Uint8Array | string)[]
): Uint8Array {
  const bytes = Buffer.concat(
    content.map((one) => (typeof one === "number" ? Buffer.of(one) : typeof one === "string" ? Buffer.from(one) : one)),
  );
  return Buffer.concat([Buffer.from(signature), Buffer.of(bytes.length + 4, 1), bytes]);
}

/** 32-bit numbers in both byte orders. */
export function both(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  values.forEach((value, n) => bothU32.encode(new DataView(bytes.buffer), n * 8, value));
  return bytes;
}

/** What the root says where system use entries are in order, and which bytes of each area are not theirs. */
export function indicator(skip = 0): Uint8Array {
  return entry("SP", 0xbe, 0xef, skip);
}

/** Where an area goes on. */
export function continuation(block: number, offsetBytes: number, lengthBytes: number): Uint8Array {
  const bytes = continuationArea.encode({ block, offsetBytes, lengthBytes });
  bytes.set([...Buffer.from("CE"), continuationArea.sizeBytes, 1]);
  return bytes;
}

export const posix = (mode: number, links = 1, serial?: number): Uint8Array =>
  entry("PX", both(mode, links, 1000, 100, ...(serial === undefined ? [] : [serial])));
export const name = (text: string, flags = 0): Uint8Array => entry("NM", flags, text);

/** A part of a sparse file: a hole, data that stands together, or parts of 1/256 of its size each. */
export type SparsePart = "hole" | Uint8Array | readonly SparsePart[];

const sparseTableBytes = 2048;

/** The file section of a sparse file whose root table has these parts (RRIP 1.12 §4.1.7.1). Parts left out are holes. */
export function sparseSection(root: readonly SparsePart[]): Uint8Array {
  const blocks: Uint8Array[] = [new Uint8Array(sparseTableBytes)];
  let lengthBytes = sparseTableBytes;
  const place = (bytes: Uint8Array, unitBytes: number): number => {
    const padding = -lengthBytes & (unitBytes - 1);
    blocks.push(new Uint8Array(padding), bytes);
    const at = lengthBytes + padding;
    lengthBytes = at + bytes.length;
    return at / unitBytes;
  };
  const placeTable = (parts: readonly SparsePart[]): number => {
    const values = Array.from({ length: 256 }, () => 0x8000_0000);
    const table = new Uint8Array(sparseTableBytes);
    const number = place(table, sparseTableBytes);
    parts.forEach((part, n) => {
      if (part === "hole") return;
      values[n] = part instanceof Uint8Array ? place(part, 256) : 0x4000_0000 + placeTable(part);
    });
    table.set(both(...values));
    return number;
  };
  placeTable(root);
  return Buffer.concat(blocks);
}

export const sparse = (sizeBytes: number, depth: number): Uint8Array =>
  entry("SF", both(Math.floor(sizeBytes / 2 ** 32), sizeBytes % 2 ** 32), depth);

/** An image with sparse files of several depths. */
export function sparseImage(): Uint8Array {
  const data = (byte: number): Uint8Array => Buffer.alloc(256, byte);
  const files: readonly (readonly [string, readonly SparsePart[], Uint8Array])[] = [
    ["low", [data(1), "hole", data(2)], sparse(700, 1)],
    ["middle", [[[data(3)], [data(4), "hole", data(5)]], "hole", [[data(6)]]], entry("SF", both(2 ** 26))],
    ["deep", ["hole", [[[[["hole", data(7)]]]]]], sparse(2 ** 50, 7)],
  ];
  const records = files.map(([word, root, use], n) => ({
    name: `${n}.;1`,
    data: sparseSection(root),
    systemUse: [name(word), posix(0o100644), use],
  }));
  return isoImage({ records, rootUse: [indicator(), posix(0o040755, 2)] });
}
