import { Failure } from "../../base/index.ts";
import { decodeName } from "../../bytes/index.ts";
import type { DeviceNumber, EntryKind } from "../../tree/index.ts";
import { damaged } from "../damaged.ts";
import type { NtfsFile, NtfsSource } from "./ntfs-source.ts";
import { decodeUnits } from "./ntfs-name.ts";
import { attributeTypes, reparsePoint } from "./records.ts";
import { readStream } from "./stream.ts";

/** What else than data, or in which other form, a file holds ([MS-FSCC] §2.1.2). */
export interface Reparse {
  readonly tag: number;
  readonly data: Uint8Array;
}

export const reparseTags = {
  junction: 0xa0000003,
  symlink: 0xa000000c,
  linuxSymlink: 0xa000001d,
  socket: 0x80000023,
  fifo: 0x80000024,
  character: 0x80000025,
  block: 0x80000026,
  deduplicated: 0x80000013,
  compressedBySystem: 0x80000017, // WOF
} as const;

const kinds: Readonly<Record<number, EntryKind>> = {
  [reparseTags.junction]: "symlink",
  [reparseTags.symlink]: "symlink",
  [reparseTags.linuxSymlink]: "symlink",
  [reparseTags.socket]: "socket",
  [reparseTags.fifo]: "fifo",
  [reparseTags.character]: "character",
  [reparseTags.block]: "block",
};

/** What a reparse point makes of a file; undefined where it stays what it is. */
export function kindByTag(tag: number): EntryKind | undefined {
  return kinds[tag];
}

const reparseLimitBytes = 16 * 1024; // as Windows limits it
/** Tags of files whose data is with OneDrive or another store in the net: 0x9000?01A, and of Windows' older kinds. */
const cloudMask = 0xffff0fff;
const cloudTag = 0x9000001a;

/** The reparse point of a file, if it has one. Throws `damaged`. */
export async function readReparse(source: NtfsSource, file: NtfsFile): Promise<Reparse | undefined> {
  const stream = source.stream(file, attributeTypes.reparsePoint, "");
  if (stream === undefined) return undefined;
  const what = `the reparse point of file ${file.record.number}`;
  if (stream.dataBytes < reparsePoint.sizeBytes || stream.dataBytes > reparseLimitBytes) {
    throw damaged(what, `it has ${stream.dataBytes} bytes`);
  }
  const bytes = await readStream(source, stream, 0, stream.dataBytes);
  const { tag, dataBytes } = reparsePoint.decode(bytes);
  if (reparsePoint.sizeBytes + dataBytes > bytes.length) throw damaged(what, "its data passes its end");
  return { tag, data: bytes.subarray(reparsePoint.sizeBytes, reparsePoint.sizeBytes + dataBytes) };
}

/** Throws `unsupported` where the data of a file is not what its clusters hold. */
export function refuseForeignData({ tag }: Reparse, what: string): void {
  const because = whyForeign(tag);
  if (because === undefined) return;
  throw new Failure("unsupported", `cannot read ${what}: ${because}`, {
    hint: "restore the partition, and copy the file there with Windows",
  });
}

function whyForeign(tag: number): string | undefined {
  if (tag === reparseTags.deduplicated) return "its data is deduplicated, which this program does not read";
  if (tag === reparseTags.compressedBySystem) {
    return "Windows compressed it by WOF, in a way that this program does not unpack";
  }
  if ((tag & cloudMask) >>> 0 === cloudTag) return "its data may be in the net (OneDrive), and not on this disk";
  return undefined;
}

/** Offsets of two names in what follows; symbolic links have flags behind them. */
const junctionNamesAt = 8;
const symlinkNamesAt = 12;
const relativeFlag = 1;

/** What a link says, in the words of Unix. Throws `damaged`. */
export function targetOf({ tag, data }: Reparse, what: string): string {
  if (tag === reparseTags.linuxSymlink) return decodeName(data, 4);
  const namesAt = tag === reparseTags.symlink ? symlinkNamesAt : junctionNamesAt;
  if (data.length < namesAt) throw damaged(what, `its link has ${data.length} bytes`);
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const name = (at: number): string => {
    const from = namesAt + view.getUint16(at, true);
    const end = from + view.getUint16(at + 2, true);
    if (end > data.length) throw damaged(what, "the target of its link passes its end");
    return decodeUnits(data.subarray(from, end));
  };
  const isRelative = tag === reparseTags.symlink && (view.getUint32(8, true) & relativeFlag) !== 0;
  const target = unixTarget(name(0), isRelative);
  if (target === "" || target.includes("\0")) throw damaged(what, "its link says nothing");
  return target;
}

/** `\??\C:\Users` becomes `/Users`: what stands on this volume starts at its root. Other volumes keep their names. */
function unixTarget(target: string, isRelative: boolean): string {
  const slashed = target.replaceAll("\\", "/");
  if (isRelative) return slashed;
  const local = slashed.replace(/^\/\?\?\//u, "").replace(/^[A-Za-z]:(?=\/|$)/u, "");
  return local === "" ? "/" : local;
}

/** What ntfs-3g writes where a file of Unix has no other form: "IntxLNK" and 1, then the target; and devices alike. */
const interixMark = "IntxLNK\u0001";
const interixDevices: Readonly<Record<string, EntryKind>> = { "IntxCHR\0": "character", "IntxBLK\0": "block" };
const interixBytes = 8;
export const interixLimitBytes = interixBytes + 2 * 4096;

/** A file of Unix that stands in the data of a system file. */
export interface Interix {
  readonly kind: EntryKind;
  readonly target?: string;
  readonly device?: DeviceNumber;
}

/** What the data of a system file says, if ntfs-3g (or Windows' Interix) wrote it. */
export function decodeInterix(data: Uint8Array): Interix | undefined {
  const mark = Buffer.from(data.subarray(0, interixBytes)).toString("latin1");
  if (mark === interixMark && data.length > interixBytes) {
    return { kind: "symlink", target: decodeUnits(data.subarray(interixBytes)) };
  }
  const kind = interixDevices[mark];
  if (kind === undefined || data.length < interixBytes + 16) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const [major, minor] = [view.getUint32(interixBytes, true), view.getUint32(interixBytes + 8, true)];
  return { kind, device: { major, minor } };
}
