import { createHash } from "node:crypto";
import { ascii, bytes, Struct, u16be } from "../../bytes/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";
import { claimed64be } from "../claimed-count.ts";
import { readLuks2Metadata, type Luks2Metadata } from "./luks2-metadata.ts";
import { bytesAt, isPowerOfTwo, paddedText, Remarks, type Recognised } from "./recognised.ts";

export const luksMagic = "LUKS\u00ba\u00be";
const secondMagic = "SKUL\u00ba\u00be";

/** LUKS2 On-Disk Format Specification 1.1.3 §2.1. */
export const luks2Header = new Struct("LUKS2 binary header", 4096, {
  magic: [0, ascii(6)],
  version: [6, u16be],
  /** With the JSON area behind it. */
  headerBytes: [8, claimed64be],
  sequenceId: [16, claimed64be],
  label: [24, bytes(48)],
  checksumAlgorithm: [72, ascii(32)],
  salt: [104, bytes(64)],
  uuid: [168, ascii(40)],
  subsystem: [208, bytes(48)],
  offsetBytes: [256, claimed64be],
  checksum: [448, bytes(64)],
});

const smallestHeaderBytes = 16_384;
const largestHeaderBytes = 4 * 1024 * 1024;
/** Where the second header can stand (§2.1): behind a first one of each size. */
const secondPlaces = Array.from({ length: 9 }, (_, n) => smallestHeaderBytes * 2 ** n);
const checksumAlgorithms = new Set(["sha256", "sha1", "sha512", "sha224", "sha384"]);

/** One of the two headers, if it is sound. */
interface SoundHeader {
  readonly record: ReturnType<typeof luks2Header.decode>;
  readonly json: string;
}

/** What a LUKS2 header says; by the second one where the first is damaged, gone, or older. */
export async function describeLuks2(reader: BlockReader, start: Uint8Array | undefined): Promise<Recognised> {
  const remarks = new Remarks();
  const first = start === undefined ? undefined : await soundHeader(reader, 0, luksMagic);
  const second = await findSecondLuks2(reader, first?.record.headerBytes);
  if (first === undefined)
    remarks.error(`the LUKS2 header is damaged${second === undefined ? "" : ": the second one is used"}`);
  if (second === undefined) remarks.error("the second LUKS2 header is damaged");
  const isSecondNewer =
    first !== undefined && second !== undefined && second.record.sequenceId > first.record.sequenceId;
  if (isSecondNewer) remarks.warn("the second LUKS2 header is newer than the first, and is used");
  const used = isSecondNewer ? second : (first ?? second);
  if (used === undefined) return nothingSound(reader, start, remarks);
  const metadata = readLuks2Metadata(used.json, remarks);
  return described(used.record, metadata, { reader, remarks });
}

/** The second header where it is sound, at the place that the first one's size tells, or else at any. */
export async function findSecondLuks2(reader: BlockReader, firstBytes?: number): Promise<SoundHeader | undefined> {
  for (const at of firstBytes === undefined ? secondPlaces : [firstBytes]) {
    const found = await soundHeader(reader, at, secondMagic);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function soundHeader(reader: BlockReader, at: number, magic: string): Promise<SoundHeader | undefined> {
  const start = await bytesAt(reader, at, luks2Header.sizeBytes);
  if (start === undefined) return undefined;
  const record = luks2Header.decode(start);
  const { headerBytes, checksumAlgorithm, checksum } = record;
  if (record.magic !== magic || record.version !== 2 || record.offsetBytes !== at) return undefined;
  if (!isPowerOfTwo(headerBytes, smallestHeaderBytes, largestHeaderBytes)) return undefined;
  if (at + headerBytes > reader.sizeBytes || !checksumAlgorithms.has(checksumAlgorithm)) return undefined;
  const whole = await readBytes(reader, at, headerBytes);
  luks2Header.patch(whole, { checksum: new Uint8Array(checksum.length) });
  const digest = createHash(checksumAlgorithm).update(whole).digest();
  if (!digest.equals(checksum.subarray(0, digest.length))) return undefined;
  return { record, json: paddedText(whole.subarray(luks2Header.sizeBytes)) };
}

/** Neither header is sound: what the first one says of itself, unproven. */
function nothingSound(reader: BlockReader, start: Uint8Array | undefined, remarks: Remarks): Recognised {
  const record = start === undefined ? undefined : luks2Header.decode(start);
  return {
    kind: "luks",
    label: record === undefined ? "" : paddedText(record.label),
    uuid: record === undefined || record.uuid === "" ? undefined : record.uuid,
    sizeBytes: reader.sizeBytes,
    blockSizeBytes: 512,
    usedBytes: undefined,
    freeBytes: undefined,
    features: ["luks2"],
    notes: ["LUKS2"],
    problems: remarks.problems,
  };
}

interface Circumstances {
  readonly reader: BlockReader;
  readonly remarks: Remarks;
}

function described(
  record: SoundHeader["record"],
  { payload, cipher, keySlotCount, requirements }: Luks2Metadata,
  { reader, remarks }: Circumstances,
): Recognised {
  const payloadEnd = payload === undefined ? undefined : payload.startBytes + (payload.sizeBytes ?? 0);
  if (payloadEnd !== undefined && payloadEnd > reader.sizeBytes) {
    remarks.error(`the data of LUKS ends at byte ${payloadEnd}, its device at ${reader.sizeBytes}`);
  }
  if (keySlotCount === 0) remarks.warn("LUKS has no key slot: nobody can open it with a passphrase");
  const isWithin = payload !== undefined && payload.startBytes <= reader.sizeBytes;
  const sizeBytes = payload?.sizeBytes === undefined ? reader.sizeBytes : Math.min(reader.sizeBytes, payloadEnd ?? 0);
  const usedBytes = isWithin ? Math.max(0, sizeBytes - payload.startBytes) : undefined;
  const subsystem = paddedText(record.subsystem);
  const notes = [`LUKS2${cipher === undefined ? "" : `, ${cipher}`}, key slots in use: ${keySlotCount}`];
  if (subsystem !== "") notes.push(`it belongs to ${subsystem}`);
  for (const requirement of requirements) notes.push(`it is marked "${requirement}"`);
  return {
    kind: "luks",
    label: paddedText(record.label),
    uuid: record.uuid === "" ? undefined : record.uuid,
    sizeBytes,
    blockSizeBytes: payload?.sectorBytes ?? 512,
    usedBytes,
    freeBytes: usedBytes === undefined ? undefined : 0,
    features: ["luks2", ...(cipher === undefined ? [] : [cipher])],
    notes,
    problems: remarks.problems,
  };
}
