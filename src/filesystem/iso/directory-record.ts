import { bytes as bytesField, Struct, u8 } from "../../bytes/index.ts";
import { bothU16, bothU32 } from "./both-endian.ts";
import { damaged } from "../damaged.ts";

/** ECMA-119 §9.1: what stands before the name. */
export const directoryRecord = new Struct("ISO 9660 directory record", 33, {
  lengthBytes: [0, u8],
  attributeBlocks: [1, u8],
  extentBlock: [2, bothU32],
  dataBytes: [10, bothU32],
  recorded: [18, bytesField(7)],
  flags: [25, u8],
  unitBlocks: [26, u8],
  gapBlocks: [27, u8],
  volumeNumber: [28, bothU16],
  nameBytes: [32, u8],
});

/** Bits of `flags`. */
const flagDirectory = 0x02;
const flagAssociated = 0x04;
const flagMoreExtents = 0x80;

/** A record of a directory, with where it stands on the device. */
export interface DirectoryRecord {
  readonly at: number;
  readonly lengthBytes: number;
  /** All of it. */
  readonly bytes: Uint8Array;
  /** Where the data begins, in blocks, after the extended attribute record. */
  readonly dataBlock: number;
  readonly dataBytes: number;
  /** Seven bytes. */
  readonly recorded: Uint8Array;
  readonly isDirectory: boolean;
  /** A second fork of the file before it, as the Macintosh had. */
  readonly isAssociated: boolean;
  /** The next record goes on with the same file. */
  readonly hasMoreExtents: boolean;
  readonly isInterleaved: boolean;
  readonly name: Uint8Array;
  readonly systemUse: Uint8Array;
}

/** The record at `at` of `bytes`, which stands at `deviceAt` on the device. Throws `damaged` where it does not fit. */
export function decodeRecord(bytes: Uint8Array, at: number, deviceAt: number): DirectoryRecord {
  const lengthBytes = bytes[at] ?? 0;
  if (lengthBytes <= directoryRecord.sizeBytes || at + lengthBytes > bytes.length) {
    throw damaged(`the directory record at byte ${deviceAt}`, `it is ${lengthBytes} bytes long`);
  }
  const { attributeBlocks, extentBlock, dataBytes, recorded, flags, unitBlocks, gapBlocks, nameBytes } =
    directoryRecord.decode(bytes, at);
  const nameAt = at + directoryRecord.sizeBytes;
  if (nameBytes === 0 || directoryRecord.sizeBytes + nameBytes > lengthBytes) {
    throw damaged(`the directory record at byte ${deviceAt}`, `its name of ${nameBytes} bytes does not fit`);
  }
  const systemUseAt = nameAt + nameBytes + ((nameBytes & 1) === 0 ? 1 : 0);
  return {
    at: deviceAt,
    lengthBytes,
    bytes: bytes.subarray(at, at + lengthBytes),
    dataBlock: extentBlock + attributeBlocks,
    dataBytes,
    recorded,
    isDirectory: (flags & flagDirectory) !== 0,
    isAssociated: (flags & flagAssociated) !== 0,
    hasMoreExtents: (flags & flagMoreExtents) !== 0,
    isInterleaved: unitBlocks !== 0 || gapBlocks !== 0,
    name: bytes.subarray(nameAt, nameAt + nameBytes),
    systemUse: bytes.subarray(Math.min(systemUseAt, at + lengthBytes), at + lengthBytes),
  };
}

/** The record of the directory itself, the first in it. */
export function isSelf({ name }: DirectoryRecord): boolean {
  return name.length === 1 && name[0] === 0;
}

/** The record of the directory itself or of the one above it. */
export function isDot({ name }: DirectoryRecord): boolean {
  return name.length === 1 && (name[0] === 0 || name[0] === 1);
}
