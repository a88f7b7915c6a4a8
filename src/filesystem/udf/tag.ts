import { crc16Itut } from "../../bytes/index.ts";
import { damaged } from "../damaged.ts";
import { descriptorTag } from "./records.ts";

interface ExpectedTag {
  readonly ids: readonly number[];
  /** The block in which the descriptor says it is; undefined where that is not compared. */
  readonly location: number | undefined;
  readonly what: string;
}

/** What is wrong with the tag of a descriptor, or undefined. The CRC is that of the bytes after the tag. */
export function tagProblem(bytes: Uint8Array, { ids, location }: Omit<ExpectedTag, "what">): string | undefined {
  if (bytes.length < descriptorTag.sizeBytes) return "it is cut short";
  const tag = descriptorTag.decode(bytes);
  if (!ids.includes(tag.id)) return `its id is ${tag.id}, not ${ids.join(" or ")}`;
  if (tag.checksum !== tagChecksum(bytes)) return "the checksum of its tag is wrong";
  if (location !== undefined && tag.location !== location)
    return `it says it is block ${tag.location}, not ${location}`;
  const end = descriptorTag.sizeBytes + tag.crcBytes;
  if (end > bytes.length) return `its CRC is of ${tag.crcBytes} bytes, more than there are`;
  return crc16Itut(bytes.subarray(descriptorTag.sizeBytes, end)) === tag.crc ? undefined : "its CRC is wrong";
}

/** Throws `damaged` for a descriptor that is not what it should be; gives its id. */
export function verifyTag(bytes: Uint8Array, expected: ExpectedTag): number {
  const problem = tagProblem(bytes, expected);
  if (problem !== undefined) throw damaged(expected.what, problem);
  return descriptorTag.get(bytes, "id");
}

/** The sum of the bytes of a tag but for the one that holds it. */
export function tagChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let n = 0; n < descriptorTag.sizeBytes; n++) if (n !== 4) sum += bytes[n] ?? 0;
  return sum & 0xff;
}
