import { crc32 } from "node:zlib";
import type { BlockReader } from "../../device/index.ts";
import type { Part } from "../packed/index.ts";
import { fillPart, type ImagePart } from "../partclone/index.ts";

/** A part by whose checksum it is told whether what it was made of has changed since. */
export interface SummedPart extends Part {
  readonly sumOf: (bytes: Buffer) => number;
  /** Whether bytes that were unpacked agree with the checksums among them. */
  readonly isIntact: (bytes: Buffer) => boolean;
}

/** A part that remembers the sum of what was read. */
export interface ReadPart extends SummedPart {
  sum: number;
}

export function remembering(part: SummedPart): ReadPart {
  const read: ReadPart = {
    ...part,
    sum: 0,
    fill: async (into) => {
      await part.fill(into);
      read.sum = part.sumOf(into);
    },
  };
  return read;
}

const always = (): boolean => true;

const checksumBytes = 4;

/** Bytes that are there already. */
export function givenPart(bytes: Uint8Array): SummedPart {
  return {
    lengthBytes: bytes.length,
    sourceBytes: 0,
    fill: async (into) => into.set(bytes),
    sumOf: crc32,
    isIntact: always,
  };
}

/** A stretch of a reader as it is. */
export function plainPart(reader: BlockReader, at: number, lengthBytes: number): SummedPart {
  return {
    lengthBytes,
    sourceBytes: lengthBytes,
    fill: (into) => reader.read(at, into),
    sumOf: crc32,
    isIntact: always,
  };
}

/** Strips of an image: their own checksums are what is summed up. */
export function imagePart(reader: BlockReader, part: ImagePart): SummedPart {
  const { lengthBytes, dataBytes, strips } = part;
  return {
    lengthBytes,
    sourceBytes: dataBytes,
    fill: (into) => fillPart(reader, part, into),
    sumOf: (bytes) => sumOfStrips(bytes, strips),
    isIntact: (bytes) => areIntact(bytes, strips),
  };
}

function sumOfStrips(bytes: Buffer, strips: ImagePart["strips"]): number {
  let sum = 0;
  for (const { at, lengthBytes } of strips) {
    const end = at + lengthBytes;
    sum = crc32(bytes.subarray(end, end + checksumBytes), sum);
  }
  return sum;
}

function areIntact(bytes: Buffer, strips: ImagePart["strips"]): boolean {
  return strips.every(({ at, lengthBytes }) => {
    return bytes.readUInt32LE(at + lengthBytes) === ~crc32(bytes.subarray(at, at + lengthBytes)) >>> 0;
  });
}
