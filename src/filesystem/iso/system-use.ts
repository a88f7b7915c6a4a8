import { Struct } from "../../bytes/index.ts";
import { bothU32 } from "./both-endian.ts";
import { damaged } from "../damaged.ts";
import type { BlockBytes } from "./iso-source.ts";

/** SUSP 1.12 §5.1, from the start of the entry. */
export const continuationArea = new Struct("SUSP CE", 28, {
  block: [4, bothU32],
  offsetBytes: [12, bothU32],
  lengthBytes: [20, bothU32],
});

/** An entry of a system use area: signature, length, version, and what belongs to it. */
export interface SystemUseEntry {
  readonly signature: string;
  /** All of it, from the signature on. */
  readonly bytes: Uint8Array;
}

/** The entries of a record. */
export interface SystemUse {
  readonly entries: readonly SystemUseEntry[];
  /** What is wrong with the areas that can be borne: the rest of one is left out of account, as Linux does. */
  readonly problem: string | undefined;
}

/** Signature, length, version. */
const entryHeadBytes = 4;
/** As many continuation areas as Linux follows for one record. */
const continuationLimit = 32;
const continuationLimitBytes = 64 * 1024;

/**
 * The part of a system use area that has entries, after what belongs to somebody else. The root's own begins with SP;
 * of a CD-ROM XA disc not even that one does.
 */
export function entryArea(systemUse: Uint8Array, skipBytes: number): Uint8Array {
  const isIndicator = systemUse[0] === 0x53 && systemUse[1] === 0x50;
  return isIndicator ? systemUse : systemUse.subarray(skipBytes);
}

/**
 * The entries of a record's system use area and of all areas that continue it. Throws `damaged` where those go on
 * without end.
 */
export async function readSystemUse(source: BlockBytes, first: Uint8Array, what: string): Promise<SystemUse> {
  const entries: SystemUseEntry[] = [];
  let problem: string | undefined;
  let area: Uint8Array | undefined = first;
  let totalBytes = 0;
  for (let areas = 0; area !== undefined; areas++) {
    const found = entriesIn(area);
    entries.push(...found.entries);
    problem ??= found.problem;
    const next = found.entries.findLast(
      ({ signature, bytes }) => signature === "CE" && bytes.length >= continuationArea.sizeBytes,
    );
    if (next === undefined) break;
    const { block, offsetBytes, lengthBytes } = continuationArea.decode(next.bytes);
    totalBytes += lengthBytes;
    if (areas >= continuationLimit || totalBytes > continuationLimitBytes) {
      throw damaged(what, "its system use areas go on without end");
    }
    area = await source.structures.bytes(block * source.blockSizeBytes + offsetBytes, lengthBytes);
  }
  return { entries, problem };
}

function entriesIn(area: Uint8Array): SystemUse {
  const entries: SystemUseEntry[] = [];
  for (let at = 0; at + entryHeadBytes <= area.length;) {
    const lengthBytes = area[at + 2] ?? 0;
    if (area[at] === 0) break; // padding
    if (lengthBytes < entryHeadBytes || at + lengthBytes > area.length) {
      return { entries, problem: `an entry of its system use area is ${lengthBytes} bytes long and does not fit` };
    }
    const signature = String.fromCharCode(area[at] ?? 0, area[at + 1] ?? 0);
    if (signature === "ST") break;
    entries.push({ signature, bytes: area.subarray(at, at + lengthBytes) });
    at += lengthBytes;
  }
  return { entries, problem: undefined };
}
