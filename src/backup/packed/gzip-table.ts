import { Failure } from "../../base/index.ts";
import { ascii, Struct, u16, u32 } from "../../bytes/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";
import { placeFrames, type Frame, type SeekTable } from "./seek-table.ts";

/**
 * gzip has no frames to be skipped, but members without content, whose headers may have a field of anything (RFC 1952
 * §2.3.1.1): there the table is. docs/formats/clonezilla.md
 */
export const gzipTableHead = new Struct("gzip member with a table", 16, {
  /** 1f 8b, deflate, with a field; no time, no operating system. */
  magic: [0, u32],
  time: [4, u32],
  flags: [8, u16],
  fieldBytes: [10, u16],
  tag: [12, ascii(2)],
  tagBytes: [14, u16],
});
export const gzipTableFoot = new Struct("gzip member with a table, its end", 18, {
  /** In the field: how many frames there are in this member, and in all members. */
  memberFrames: [0, u32],
  allFrames: [4, u32],
  /** An empty block, and a length and checksum of nothing. */
  block: [8, u16],
  checksum: [10, u32],
  contentBytes: [14, u32],
});
const entry = new Struct("gzip table entry", 8, { packedBytes: [0, u32], plainBytes: [4, u32] });

const gzipMagic = 0x04088b1f;
const unknownSystem = 0xff00;
const tableTag = "HF";
const emptyBlock = 0x0003;
/** A field takes 64 KiB at most. */
const memberFramesLimit = 8000;
const frameCountLimit = 0x8000000;
/** What the field has besides entries: two counts in front of the member's end, and tag and length. */
const countsBytes = 8;
const tagHeadBytes = 4;

/** Members without content behind all others that tell where each begins. */
export function encodeGzipTable(frames: readonly Frame[]): Uint8Array {
  const members: Buffer[] = [];
  for (let first = 0; first === 0 || first < frames.length; first += memberFramesLimit) {
    const own = frames.slice(first, first + memberFramesLimit);
    const bytes = Buffer.alloc(memberBytes(own.length));
    const tagBytes = own.length * entry.sizeBytes + countsBytes;
    const fieldBytes = tagBytes + tagHeadBytes;
    gzipTableHead.patch(bytes, { magic: gzipMagic, flags: unknownSystem, fieldBytes, tag: tableTag, tagBytes });
    own.forEach((frame, n) => entry.patch(bytes, frame, gzipTableHead.sizeBytes + n * entry.sizeBytes));
    const counts = { memberFrames: own.length, allFrames: frames.length, block: emptyBlock };
    gzipTableFoot.patch(bytes, counts, bytes.length - gzipTableFoot.sizeBytes);
    members.push(bytes);
  }
  return Buffer.concat(members);
}

function memberBytes(frameCount: number): number {
  return gzipTableHead.sizeBytes + frameCount * entry.sizeBytes + gzipTableFoot.sizeBytes;
}

/** The table at the end of gzip's data; undefined where there is none. Throws `damaged` where it cannot be. */
export async function readGzipTable(reader: BlockReader): Promise<SeekTable | undefined> {
  const members: Frame[][] = [];
  let count = 0;
  let at = reader.sizeBytes;
  for (let wanted = 1; count < wanted;) {
    const member = await readMember(reader, at);
    if (member === undefined) {
      if (members.length === 0) return undefined;
      throw damaged();
    }
    wanted = member.allFrames;
    at = member.at;
    count += member.frames.length;
    if (count > wanted || (member.frames.length === 0 && wanted > 0)) throw damaged();
    members.unshift(member.frames);
    if (wanted === 0) break;
  }
  const table = placeFrames(members.flat(), at);
  if (table === "contradicts") throw damaged();
  return table === "too large" ? undefined : table;
}

async function readMember(
  reader: BlockReader,
  end: number,
): Promise<{ readonly at: number; readonly allFrames: number; readonly frames: Frame[] } | undefined> {
  if (end < memberBytes(0)) return undefined;
  const foot = gzipTableFoot.decode(await readBytes(reader, end - gzipTableFoot.sizeBytes, gzipTableFoot.sizeBytes));
  const isEmpty = foot.block === emptyBlock && foot.checksum === 0 && foot.contentBytes === 0;
  if (!isEmpty || foot.memberFrames > memberFramesLimit || foot.allFrames > frameCountLimit) return undefined;
  const at = end - memberBytes(foot.memberFrames);
  if (at < 0) return undefined;
  const bytes = await readBytes(reader, at, end - at);
  const { magic, tag, tagBytes } = gzipTableHead.decode(bytes);
  if (magic !== gzipMagic || tag !== tableTag) return undefined;
  if (tagBytes !== foot.memberFrames * entry.sizeBytes + countsBytes) throw damaged();
  const frames = Array.from({ length: foot.memberFrames }, (_, n) => {
    return entry.decode(bytes, gzipTableHead.sizeBytes + n * entry.sizeBytes);
  });
  return { at, allFrames: foot.allFrames, frames };
}

function damaged(): Failure {
  return new Failure("damaged", "the table at the end of its gzip data contradicts itself");
}
