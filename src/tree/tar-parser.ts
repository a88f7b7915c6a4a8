import { Failure } from "../base/index.ts";
import { type AccountLookup, aclFromText, permissionsOfAcl } from "./acl-text.ts";
import type { ChunkCursor } from "./chunk-cursor.ts";
import type { DataPiece, EntryKind, FileEntry, TreeEntry } from "./entry.ts";
import {
  decodeGnuTimes,
  decodeTarDevice,
  decodeTarHeader,
  hasRightChecksum,
  isZeroBlock,
  tarBlockBytes,
  type TarHeader,
  text,
} from "./tar-header.ts";
import { normalTarPath, pathLimit } from "./tar-path.ts";
import { decodePax, type PaxFields } from "./tar-pax.ts";
import {
  checkedStretches,
  decodeOldGnuMap,
  decodePaxMap,
  type SparseMap,
  stretchesOf,
  type StoredStretch,
} from "./tar-sparse.ts";

/** The pax records of one file, or of one global header, may take no more than this. */
export const paxLimitBytes = 16 * 1024 * 1024;
/** Content up to this size is put together where it lies across chunks; what is larger is streamed. */
const joinedContentLimitBytes = 256 * 1024;
const idLimit = 0xffff_ffff;

export type FileDraft = { -readonly [K in keyof FileEntry]: FileEntry[K] };

/** What has to happen before the next step: more bytes together, content to hand on, bytes to pass by, or nothing. */
export type ParserStep =
  | { readonly kind: "need"; readonly lengthBytes: number }
  | { readonly kind: "stream"; readonly entry: FileDraft; readonly stored: StoredContent }
  | { readonly kind: "skip"; readonly lengthBytes: number }
  | { readonly kind: "end" };

/** Content that stands in the tar from the cursor on. */
export interface StoredContent {
  readonly stretches: readonly StoredStretch[];
  readonly storedBytes: number;
}

/**
 * Turns what lies in the cursor's buffer into entries. It never waits, and takes nothing that it cannot take
 * whole: where bytes are missing it says how many it needs and starts the same member anew.
 */
export class TarParser {
  readonly #idOf: AccountLookup;
  readonly #global: PaxFields = {};
  #pax: PaxFields | undefined;
  #longName: string | undefined;
  #longLink: string | undefined;

  constructor(idOf: AccountLookup) {
    this.#idOf = idOf;
  }

  /** Adds entries to `batch` for as long as they are whole in the buffer. */
  step(cursor: ChunkCursor, batch: TreeEntry[]): ParserStep {
    for (;;) {
      if (!cursor.has(tarBlockBytes)) return { kind: "need", lengthBytes: tarBlockBytes };
      const { buffer, at } = cursor;
      if (isZeroBlock(buffer, at)) return this.#end();
      if (!hasRightChecksum(buffer, at)) {
        throw new Failure("damaged", cursor.position === 0 ? "this is not a tar" : "its checksum is wrong");
      }
      const header = decodeTarHeader(buffer, at);
      const step = this.#member(cursor, header, batch);
      if (step !== undefined) return step;
    }
  }

  #end(): ParserStep {
    if (this.#pax !== undefined || this.#longName !== undefined || this.#longLink !== undefined) {
      throw new Failure("damaged", "the tar ends after a header that belongs to another");
    }
    return { kind: "end" };
  }

  #member(cursor: ChunkCursor, header: TarHeader, batch: TreeEntry[]): ParserStep | undefined {
    switch (header.type) {
      case "x":
      case "X": // Solaris
      case "g":
      case "L":
      case "K":
        return this.#metadata(cursor, header);
      case "V": // the name of the volume
        return { kind: "skip", lengthBytes: tarBlockBytes + paddedBytes(header.sizeBytes) };
      case "M":
      case "N":
        throw new Failure(
          "unsupported",
          `it is a GNU tar of the kind "${header.type}", in several volumes or very old`,
        );
      case "1":
        batch.push(this.#hardLink(header));
        cursor.at += tarBlockBytes;
        return undefined;
      default:
        return this.#file(cursor, header, batch);
    }
  }

  #metadata(cursor: ChunkCursor, header: TarHeader): ParserStep | undefined {
    const isPax = header.type === "x" || header.type === "X" || header.type === "g";
    const limit = isPax ? paxLimitBytes : pathLimit;
    if (header.sizeBytes > limit) {
      throw new Failure("damaged", `its ${header.sizeBytes} bytes of metadata are more than the ${limit} allowed`);
    }
    const lengthBytes = tarBlockBytes + paddedBytes(header.sizeBytes);
    if (!cursor.has(lengthBytes)) return { kind: "need", lengthBytes };
    const start = cursor.at + tarBlockBytes;
    const end = start + header.sizeBytes;
    if (header.type === "L") this.#longName = text(cursor.buffer, start, end);
    else if (header.type === "K") this.#longLink = text(cursor.buffer, start, end);
    else if (header.type === "g") decodePax(cursor.buffer, start, end, this.#global);
    else decodePax(cursor.buffer, start, end, (this.#pax ??= copyOf(this.#global)));
    cursor.at += lengthBytes;
    return undefined;
  }

  /** What the headers in front say about the next member. It is not given up until `#forget`. */
  #paxOfMember(): PaxFields {
    return this.#pax ?? this.#global;
  }

  #forget(): void {
    this.#pax = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
  }

  #saidPath(header: TarHeader): string {
    const pax = this.#paxOfMember();
    const said = pax.sparse?.name ?? pax.path ?? this.#longName ?? header.name;
    if (said === "") throw new Failure("damaged", "it has no name");
    return said;
  }

  #hardLink(header: TarHeader): TreeEntry {
    const path = normalTarPath(this.#saidPath(header));
    const linkTarget = normalTarPath(this.#paxOfMember().linkPath ?? this.#longLink ?? header.linkName);
    if (path === "" || linkTarget === "") throw new Failure("damaged", "it is a hard link from or to nothing");
    this.#forget();
    return { path, kind: "hardlink", linkTarget };
  }

  #file(cursor: ChunkCursor, header: TarHeader, batch: TreeEntry[]): ParserStep | undefined {
    const pax = this.#paxOfMember();
    const said = this.#saidPath(header);
    const kind = kindOf(header.type, said);
    const path = normalTarPath(said);
    if (path === "" && kind !== "directory") throw new Failure("damaged", "the root of the tree is not a folder");
    const entry: FileDraft = {
      path,
      kind,
      mode: header.mode,
      uid: header.uid,
      gid: header.gid,
      modified: { seconds: header.modifiedSeconds, nanoseconds: 0 },
      sizeBytes: 0,
    };
    if (header.isGnu) Object.assign(entry, decodeGnuTimes(cursor.buffer, cursor.at));
    this.#applyPax(entry, pax);
    if (entry.uid > idLimit || entry.gid > idLimit || entry.uid < 0 || entry.gid < 0) {
      throw new Failure("damaged", `its owner is ${entry.uid}:${entry.gid}`);
    }
    if (kind === "file") return this.#regularFile(cursor, header, entry, batch);
    if (kind === "symlink") {
      entry.linkTarget = pax.linkPath ?? this.#longLink ?? header.linkName;
      if (entry.linkTarget === "" || entry.linkTarget.includes("\0") || entry.linkTarget.length > pathLimit) {
        throw new Failure("damaged", "it is a symbolic link to nothing");
      }
    } else if (kind === "character" || kind === "block") {
      const { major, minor } = decodeTarDevice(cursor.buffer, cursor.at);
      entry.device = { major: pax.deviceMajor ?? major, minor: pax.deviceMinor ?? minor };
    }
    cursor.at += tarBlockBytes;
    this.#forget();
    batch.push(entry);
    if (header.type !== "D" || header.sizeBytes === 0) return undefined;
    return { kind: "skip", lengthBytes: paddedBytes(header.sizeBytes) }; // GNU's list of what the folder held
  }

  #regularFile(cursor: ChunkCursor, header: TarHeader, entry: FileDraft, batch: TreeEntry[]): ParserStep | undefined {
    const memberBytes = this.#paxOfMember().sizeBytes ?? header.sizeBytes;
    if (memberBytes < 0) throw new Failure("damaged", "its size is below zero");
    const map = this.#sparseMap(cursor, header, memberBytes);
    if (typeof map === "number") return { kind: "need", lengthBytes: map };
    const isPaxMap = map !== undefined && header.type !== "S";
    const storedBytes = memberBytes - (isPaxMap ? map.mapBytes : 0);
    if (storedBytes < 0) throw new Failure("damaged", "its map of holes is larger than it");
    const stretches = map === undefined ? [{ at: 0, lengthBytes: storedBytes }] : checkedStretches(map, storedBytes);
    entry.sizeBytes = map?.realSizeBytes ?? storedBytes;
    const frontBytes = tarBlockBytes + (map?.mapBytes ?? 0);
    const wholeBytes = frontBytes + paddedBytes(storedBytes);
    if (cursor.has(wholeBytes)) {
      if (storedBytes > 0) entry.content = piecesOf(cursor.buffer, cursor.at + frontBytes, stretches);
      cursor.at += wholeBytes;
      this.#forget();
      batch.push(entry);
      return undefined;
    }
    if (storedBytes <= joinedContentLimitBytes) return { kind: "need", lengthBytes: wholeBytes };
    cursor.at += frontBytes;
    this.#forget();
    if (map !== undefined) entry.stretches = stretches;
    return { kind: "stream", entry, stored: { stretches, storedBytes } };
  }

  /** The map of a sparse file, undefined for any other, or how many bytes from the header on it takes to read it. */
  #sparseMap(cursor: ChunkCursor, header: TarHeader, memberBytes: number): SparseMap | number | undefined {
    if (header.type === "S") return decodeOldGnuMap(cursor.buffer, cursor.at);
    const sparse = this.#paxOfMember().sparse;
    if (sparse === undefined) return undefined;
    const realSizeBytes = sparse.realSizeBytes;
    if (realSizeBytes === undefined) throw new Failure("damaged", "it is sparse and does not say its size");
    if (sparse.major === 0) return { stretches: stretchesOf(sparse.map ?? []), realSizeBytes, mapBytes: 0 };
    if (sparse.major !== 1 || sparse.minor !== 0) {
      throw new Failure("unsupported", `it is sparse in the form ${sparse.major}.${sparse.minor}`);
    }
    if (memberBytes < tarBlockBytes) throw new Failure("damaged", "it is sparse and has no map of holes");
    if (!cursor.has(2 * tarBlockBytes)) return 2 * tarBlockBytes;
    const map = decodePaxMap(cursor.buffer, cursor.at + tarBlockBytes);
    return typeof map === "number" ? tarBlockBytes + map : { ...map, realSizeBytes };
  }

  #applyPax(entry: FileDraft, pax: PaxFields): void {
    if (pax.uid !== undefined) entry.uid = pax.uid;
    if (pax.gid !== undefined) entry.gid = pax.gid;
    if (pax.modified !== undefined) entry.modified = pax.modified;
    if (pax.accessed !== undefined) entry.accessed = pax.accessed;
    if (pax.changed !== undefined) entry.changed = pax.changed;
    if (pax.created !== undefined) entry.created = pax.created;
    if (pax.xattrs === undefined && pax.accessAcl === undefined && pax.defaultAcl === undefined) return;
    const xattrs = new Map(pax.xattrs);
    if (pax.accessAcl !== undefined) {
      const acl = aclFromText(pax.accessAcl, this.#idOf);
      xattrs.set("system.posix_acl_access", acl);
      // The kernel keeps the two alike; libarchive writes the mode without the mask.
      entry.mode = (entry.mode & 0o7000) | (permissionsOfAcl(acl) ?? entry.mode & 0o777);
    }
    if (pax.defaultAcl !== undefined) xattrs.set("system.posix_acl_default", aclFromText(pax.defaultAcl, this.#idOf));
    entry.xattrs = xattrs;
  }
}

const kindOfType: ReadonlyMap<string, EntryKind> = new Map([
  ["2", "symlink"],
  ["3", "character"],
  ["4", "block"],
  ["5", "directory"],
  ["6", "fifo"],
  ["D", "directory"],
]);

/** Types that nobody knows are files, as POSIX asks; tars from before ustar end the names of folders with `/`. */
function kindOf(type: string, said: string): EntryKind {
  if (type === "0" && said.endsWith("/")) return "directory";
  return kindOfType.get(type) ?? "file";
}

function copyOf(fields: PaxFields): PaxFields {
  const copy = { ...fields };
  if (fields.xattrs !== undefined) copy.xattrs = new Map(fields.xattrs);
  if (fields.sparse !== undefined) copy.sparse = { ...fields.sparse };
  return copy;
}

/** With what fills the last block up. */
export function paddedBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / tarBlockBytes) * tarBlockBytes;
}

function piecesOf(bytes: Buffer, start: number, stretches: readonly StoredStretch[]): DataPiece[] {
  const pieces: DataPiece[] = [];
  let place = start;
  for (const { at, lengthBytes } of stretches) {
    pieces.push({ at, bytes: bytes.subarray(place, place + lengthBytes) });
    place += lengthBytes;
  }
  return pieces;
}
