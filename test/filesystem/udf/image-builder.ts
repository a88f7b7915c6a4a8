import { crc16Itut, type StructRecord } from "../../../src/bytes/index.ts";
import * as records from "../../../src/filesystem/udf/records.ts";
import { tagChecksum } from "../../../src/filesystem/udf/tag.ts";
import type { BlockAddress } from "../../../src/filesystem/udf/udf-source.ts";

export const blockBytes = 2048;
/** Where the partition of every image begins, and how many blocks it has. */
export const partitionStart = 300;
const partitionBlocks = 200;
const deviceBlocks = 600;
const mainBlock = 32;
export const reserveBlock = 64;

/** Makes the tag of a descriptor right. */
export function seal(bytes: Uint8Array, id: number, location: number): Uint8Array {
  const { descriptorTag } = records;
  const crc = crc16Itut(bytes.subarray(16));
  descriptorTag.patch(bytes, { id, version: 3, location, crc, crcBytes: bytes.length - 16 });
  descriptorTag.patch(bytes, { checksum: tagChecksum(bytes) });
  return bytes;
}

/** The id of a partition kind, or of what else is named. */
function entityId(text: string): Uint8Array {
  const bytes = new Uint8Array(23);
  bytes.set(Buffer.from(text));
  return bytes;
}

export const plainMap = (): Uint8Array => records.plainMap.encode({ type: 1, lengthBytes: 6, partitionNumber: 0 });

function namedMap(name: string): Uint8Array {
  const bytes = records.namedMap.encode({ type: 2, lengthBytes: 64, id: entityId(name), partitionNumber: 0 });
  bytes[36] = 1; // the only volume of its set
  return bytes;
}

export function sparableMap(tableBlock: number, packetBlocks: number): Uint8Array {
  const bytes = namedMap("*UDF Sparable Partition");
  records.sparableMap.patch(bytes, {
    packetBlocks,
    tableCount: 1,
    tableBytes: 512,
    tableBlocks: [tableBlock, 0, 0, 0],
  });
  return bytes;
}

export const virtualMap = (): Uint8Array => namedMap("*UDF Virtual Partition");

export function metadataMap(fileBlock: number, mirrorBlock: number): Uint8Array {
  const bytes = namedMap("*UDF Metadata Partition");
  records.metadataMap.patch(bytes, { fileBlock, mirrorBlock });
  new DataView(bytes.buffer).setUint32(48, 0xffffffff, true); // no bitmap
  new DataView(bytes.buffer).setUint32(52, 32, true);
  return bytes;
}

/** An image whose volume descriptors name these maps, with nothing in its partition yet. */
export class UdfImage {
  readonly bytes = Buffer.alloc(deviceBlocks * blockBytes);
  readonly #maps: readonly Uint8Array[];
  readonly #fileSet: BlockAddress;

  constructor(maps: readonly Uint8Array[], fileSet: BlockAddress = { partition: 0, block: 0 }) {
    this.#maps = maps;
    this.#fileSet = fileSet;
    ["BEA01", "NSR03", "TEA01"].forEach((id, n) => this.bytes.write(`\0${id}\x01`, (16 + n) * blockBytes, "latin1"));
    this.#writeSequence(mainBlock);
    this.#writeSequence(reserveBlock);
    const lengthBytes = 16 * blockBytes;
    const anchors = { mainBytes: lengthBytes, mainBlock, reserveBytes: lengthBytes, reserveBlock };
    for (const block of [256, deviceBlocks - 1]) {
      this.putOnDevice(block, seal(records.anchor.encode(anchors), records.tagIds.anchor, block));
    }
  }

  /** Writes to a block of the device. */
  putOnDevice(block: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, block * blockBytes);
  }

  /** Writes to a block of the partition as it stands on the device. */
  put(block: number, bytes: Uint8Array): void {
    this.putOnDevice(partitionStart + block, bytes);
  }

  /** Writes the file set to a block of the partition; its place in the volume, where that is another, is `location`. */
  putFileSet(block: number, root: BlockAddress, location = block): void {
    const bytes = records.fileSet.encode({ root: longExtent(blockBytes, root) });
    const view = new DataView(bytes.buffer);
    view.setUint32(40, 1, true); // character sets, as 7z wants them
    this.put(block, seal(bytes, records.tagIds.fileSet, location));
  }

  #writeSequence(block: number): void {
    const { tagIds } = records;
    const maps = Buffer.concat(this.#maps);
    const logical = Buffer.alloc(records.logicalVolume.sizeBytes + maps.length);
    records.logicalVolume.patch(logical, {
      sequence: 2,
      label: field("built", 128),
      blockSizeBytes: blockBytes,
      domainId: entityId("*OSTA UDF Compliant"),
      revision: 0x0250,
      fileSet: longExtent(blockBytes, this.#fileSet),
      mapBytes: maps.length,
      mapCount: this.#maps.length,
    });
    logical.set(maps, records.logicalVolume.sizeBytes);
    const partition = records.partition.encode({
      sequence: 3,
      number: 0,
      contentsId: entityId("+NSR03"),
      accessType: 1,
      startBlock: partitionStart,
      blockCount: partitionBlocks,
    });
    const primary = records.primaryVolume.encode({ sequence: 1, volumeSetId: field("0123456789abcdef set", 128) });
    const all: readonly (readonly [number, Uint8Array])[] = [
      [tagIds.primaryVolume, primary],
      [tagIds.logicalVolume, logical],
      [tagIds.partition, partition],
      [tagIds.terminating, new Uint8Array(512)],
    ];
    all.forEach(([id, bytes], n) => this.putOnDevice(block + n, seal(bytes, id, block + n)));
  }
}

function field(text: string, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  bytes.set([8, ...Buffer.from(text)]);
  bytes[sizeBytes - 1] = text.length + 1;
  return bytes;
}

/** Kinds of extents: recorded, reserved, a hole, where the descriptors go on. */
export type ExtentKind = 0 | 1 | 2 | 3;

export function shortExtent(lengthBytes: number, block: number, kind: ExtentKind = 0): Uint8Array {
  return records.shortExtent.encode({ length: lengthBytes + kind * 2 ** 30, block });
}

export function longExtent(lengthBytes: number, address: BlockAddress, kind: ExtentKind = 0): Uint8Array {
  return records.longExtent.encode({ length: lengthBytes + kind * 2 ** 30, ...address });
}

type EntryFields = Partial<StructRecord<typeof records.fileEntry>>;

export interface TestEntry extends Omit<EntryFields, "sizeBytes" | "icbFlags"> {
  readonly fileType: number;
  readonly sizeBytes: number;
  /** Short, long, or in the entry. */
  readonly form: 0 | 1 | 3;
  readonly descriptors: Uint8Array;
  readonly modeFlags?: number;
  readonly attributes?: Uint8Array;
}

/** 2024-05-17 09:30:00.25, an hour east. */
const time = records.timestamp.encode({
  typeAndZone: 0x1000 + 60,
  year: 2024,
  month: 5,
  day: 17,
  hour: 9,
  minute: 30,
  centiseconds: 25,
});

/** A file entry that says it is in a block. */
export function fileEntry(location: number, entry: TestEntry): Uint8Array {
  const { form, descriptors, modeFlags = 0, attributes = new Uint8Array(0), sizeBytes, ...fields } = entry;
  const bytes = Buffer.alloc(records.fileEntry.sizeBytes + attributes.length + descriptors.length);
  records.fileEntry.patch(bytes, {
    strategy: 4,
    icbFlags: form | modeFlags,
    sizeBytes: BigInt(sizeBytes),
    permissions: 0x14a5, // r-xr-xr-x and what goes with it
    links: 1,
    accessed: time,
    modified: time,
    changed: time,
    attributeBytes: attributes.length,
    descriptorBytes: descriptors.length,
    ...fields,
  });
  new DataView(bytes.buffer, bytes.byteOffset).setUint16(24, 1, true); // entries of the ICB
  bytes.set(attributes, records.fileEntry.sizeBytes);
  bytes.set(descriptors, records.fileEntry.sizeBytes + attributes.length);
  return seal(bytes, records.tagIds.fileEntry, location);
}

/** An entry whose file stands in it. */
export function entryWith(location: number, fileType: number, content: Uint8Array, more: EntryFields = {}): Uint8Array {
  const { sizeBytes: _, icbFlags: __, ...fields } = more;
  return fileEntry(location, { ...fields, fileType, sizeBytes: content.length, form: 3, descriptors: content });
}

/** A name in a directory. */
export function identifier(name: string, address: BlockAddress, characteristics = 0): Uint8Array {
  const text = /^[\0-\xff]*$/.test(name)
    ? [8, ...Buffer.from(name, "latin1")]
    : [16, ...Buffer.from(name, "utf16le").swap16()];
  const bytes = new Uint8Array(Math.ceil((records.fileIdentifier.sizeBytes + text.length) / 4) * 4);
  records.fileIdentifier.patch(bytes, {
    characteristics,
    nameBytes: name === "" ? 0 : text.length,
    icb: longExtent(blockBytes, address),
  });
  new DataView(bytes.buffer).setUint16(16, 1, true); // version
  if (name !== "") bytes.set(text, records.fileIdentifier.sizeBytes);
  return seal(bytes, records.tagIds.fileIdentifier, 0);
}

/** The content of a directory. */
export function directory(parent: BlockAddress, ...identifiers: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([identifier("", parent, 0x0a), ...identifiers]);
}

/** Where allocation descriptors go on. */
export function continued(location: number, ...descriptors: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(descriptors);
  const bytes = Buffer.alloc(records.allocationExtent.sizeBytes + content.length);
  records.allocationExtent.patch(bytes, { descriptorBytes: content.length });
  bytes.set(content, records.allocationExtent.sizeBytes);
  return seal(bytes, records.tagIds.allocationExtent, location);
}

/** A component of a symbolic link. */
export function component(type: number, name = ""): Uint8Array {
  const text = name === "" ? [] : [8, ...Buffer.from(name, "latin1")];
  return Uint8Array.of(type, text.length, 0, 0, ...text);
}
