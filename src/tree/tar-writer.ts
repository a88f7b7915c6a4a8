import { isUtf8 } from "node:buffer";
import { Failure } from "../base/index.ts";
import { encodeName, printableName } from "../bytes/index.ts";
import { aclToText } from "./acl-text.ts";
import type { Content, DataPiece, FileEntry, FileStretch, TreeEntry, TreeTarget } from "./entry.ts";
import { encodeTarHeader, paddedTarBytes, tarBlockBytes, tarFieldLimits } from "./tar-header.ts";
import { encodePaxRecord, encodePaxTime, paxXattrKey } from "./tar-pax.ts";

const bufferBytes = 1024 * 1024;
/** GNU tar fills an archive up to records of this size. */
const recordBytes = 20 * tarBlockBytes;

const typeOfKind: Readonly<Record<string, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

const aclKeys: ReadonlyMap<string, string> = new Map([
  ["system.posix_acl_access", "SCHILY.acl.access"],
  ["system.posix_acl_default", "SCHILY.acl.default"],
]);

/**
 * Writes a tree as a tar: ustar headers, and pax records (POSIX.1-2001) for whatever they have no room for: times to
 * the nanosecond, long and non-ASCII names, large numbers, attributes and ACLs as star and GNU tar keep them, holes
 * as GNU's sparse format 1.0. The same tree gives the same bytes.
 */
export class TarWriter implements TreeTarget {
  readonly warnings: string[] = [];
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #buffer = Buffer.alloc(bufferBytes);
  /** Left out, and so are their further names. */
  readonly #sockets = new Set<string>();
  #length = 0;
  #total = 0;

  /** `write` takes all bytes of one call before its promise is settled; the buffer is used again after that. */
  constructor(write: (bytes: Uint8Array) => Promise<void>) {
    this.#write = write;
  }

  async add(entry: TreeEntry): Promise<void> {
    if (entry.kind === "socket" || (entry.kind === "hardlink" && this.#sockets.has(entry.linkTarget))) {
      this.#sockets.add(entry.path);
      this.warnings.push(`the socket "${printableName(entry.path)}" was left out: a tar cannot hold one`);
      return;
    }
    if (entry.kind === "hardlink") {
      const path = encodeName(entry.path);
      const linkTarget = encodeName(entry.linkTarget);
      const records = [...nameRecords("path", path), ...nameRecords("linkpath", linkTarget)];
      await this.#putHeaders(records, { path, type: "1", linkTarget });
      return;
    }
    const stretches = sparseStretches(entry);
    if (stretches === undefined) await this.#addWhole(entry);
    else await this.#addSparse(entry, stretches);
  }

  async finish(): Promise<void> {
    await this.#put(Buffer.alloc(2 * tarBlockBytes));
    await this.#put(Buffer.alloc((recordBytes - (this.#total % recordBytes)) % recordBytes));
    await this.#flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #addWhole(entry: FileEntry): Promise<void> {
    const folderMark = entry.kind === "directory" ? "/" : "";
    const path = encodeName((entry.path === "" ? "." : entry.path) + folderMark);
    const linkTarget = encodeName(entry.linkTarget ?? "");
    const records = [...nameRecords("path", path), ...nameRecords("linkpath", linkTarget), ...this.#recordsOf(entry)];
    if (entry.sizeBytes > tarFieldLimits.sizeBytes) records.push(encodePaxRecord("size", String(entry.sizeBytes)));
    await this.#putHeaders(records, { ...headerFields(entry), path, linkTarget, sizeBytes: entry.sizeBytes });
    if (entry.kind !== "file") return;
    let end = 0;
    await this.#putContent(entry, async ({ at, bytes }) => {
      if (at < end || at + bytes.length > entry.sizeBytes) throw outOfPlace(entry);
      await this.#putZeros(at - end);
      end = at + bytes.length;
    });
    await this.#putZeros(entry.sizeBytes - end);
    await this.#fillBlock(entry.sizeBytes);
  }

  /** GNU's sparse format 1.0: the map of stretches stands as text in front of the data. */
  async #addSparse(entry: FileEntry, stretches: readonly FileStretch[]): Promise<void> {
    const ends = [...stretches, { at: entry.sizeBytes, lengthBytes: 0 }];
    const numbers = [ends.length, ...ends.flatMap(({ at, lengthBytes }) => [at, lengthBytes])];
    const map = Buffer.from(`${numbers.join("\n")}\n`, "latin1");
    const dataBytes = stretches.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
    const storedBytes = paddedTarBytes(map.length) + dataBytes;
    const records = [
      encodePaxRecord("GNU.sparse.major", "1"),
      encodePaxRecord("GNU.sparse.minor", "0"),
      encodePaxRecord("GNU.sparse.name", encodeName(entry.path)),
      encodePaxRecord("GNU.sparse.realsize", String(entry.sizeBytes)),
      ...this.#recordsOf(entry),
    ];
    if (storedBytes > tarFieldLimits.sizeBytes) records.push(encodePaxRecord("size", String(storedBytes)));
    const path = Buffer.from("GNUSparseFile.0/file");
    await this.#putHeaders(records, { ...headerFields(entry), path, sizeBytes: storedBytes });
    await this.#put(map);
    await this.#fillBlock(map.length);
    const place = new StretchPlace(stretches);
    await this.#putContent(entry, async (piece) => {
      if (!place.pass(piece)) throw outOfPlace(entry);
    });
    if (!place.isAtEnd) throw outOfPlace(entry);
    await this.#fillBlock(dataBytes);
  }

  /** What of the metadata the header has no room for. */
  #recordsOf(entry: FileEntry): Buffer[] {
    const { modified, accessed, changed, uid, gid } = entry;
    const records: Buffer[] = [];
    const isPlainTime =
      modified.nanoseconds === 0 && modified.seconds >= 0 && modified.seconds <= tarFieldLimits.seconds;
    if (!isPlainTime) records.push(encodePaxRecord("mtime", encodePaxTime(modified)));
    if (accessed !== undefined) records.push(encodePaxRecord("atime", encodePaxTime(accessed)));
    if (changed !== undefined) records.push(encodePaxRecord("ctime", encodePaxTime(changed)));
    if (uid > tarFieldLimits.id) records.push(encodePaxRecord("uid", String(uid)));
    if (gid > tarFieldLimits.id) records.push(encodePaxRecord("gid", String(gid)));
    for (const [name, value] of entry.xattrs ?? []) {
      const aclKey = aclKeys.get(name);
      const acl = aclKey === undefined ? undefined : aclToText(value);
      if (aclKey !== undefined && acl !== undefined) records.push(encodePaxRecord(aclKey, acl));
      else records.push(encodePaxRecord(paxXattrKey(name), value));
    }
    return records;
  }

  async #putHeaders(records: readonly Buffer[], fields: Parameters<typeof encodeTarHeader>[0]): Promise<void> {
    if (records.length > 0) {
      const body = Buffer.concat(records);
      const path = Buffer.from("PaxHeaders/next");
      await this.#put(encodeTarHeader({ path, type: "x", mode: 0o644, sizeBytes: body.length }));
      await this.#put(body);
      await this.#fillBlock(body.length);
    }
    await this.#put(encodeTarHeader(fields));
  }

  /** Puts all pieces, each after `before` has seen it. */
  async #putContent(entry: FileEntry, before: (piece: DataPiece) => Promise<void>): Promise<void> {
    const content: Content = entry.content ?? [];
    const take = async (piece: DataPiece): Promise<void> => {
      await before(piece);
      await this.#put(piece.bytes);
    };
    if (Array.isArray(content)) for (const piece of content as readonly DataPiece[]) await take(piece);
    else for await (const piece of content as AsyncIterable<DataPiece>) await take(piece);
  }

  async #putZeros(count: number): Promise<void> {
    const zeros = new Uint8Array(Math.min(count, bufferBytes));
    for (let left = count; left > 0; left -= zeros.length)
      await this.#put(zeros.subarray(0, Math.min(left, zeros.length)));
  }

  async #fillBlock(contentBytes: number): Promise<void> {
    await this.#putZeros(paddedTarBytes(contentBytes) - contentBytes);
  }

  async #put(bytes: Uint8Array): Promise<void> {
    this.#total += bytes.length;
    if (bytes.length > bufferBytes - this.#length) await this.#flush();
    if (bytes.length > bufferBytes / 2) {
      await this.#flush();
      await this.#write(bytes);
      return;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  async #flush(): Promise<void> {
    if (this.#length === 0) return;
    await this.#write(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
  }
}

/** How far into the stretches that were announced the content has come. */
class StretchPlace {
  readonly #stretches: readonly FileStretch[];
  #index = 0;
  #doneBytes = 0;

  constructor(stretches: readonly FileStretch[]) {
    this.#stretches = stretches.filter(({ lengthBytes }) => lengthBytes > 0);
  }

  get isAtEnd(): boolean {
    return this.#index === this.#stretches.length;
  }

  /** False where the piece is not what comes next. */
  pass(piece: DataPiece): boolean {
    for (let at = piece.at, left = piece.bytes.length; left > 0;) {
      const stretch = this.#stretches[this.#index];
      if (stretch === undefined || at !== stretch.at + this.#doneBytes) return false;
      const step = Math.min(left, stretch.lengthBytes - this.#doneBytes);
      at += step;
      left -= step;
      this.#doneBytes += step;
      if (this.#doneBytes < stretch.lengthBytes) continue;
      this.#index++;
      this.#doneBytes = 0;
    }
    return true;
  }
}

function outOfPlace(entry: FileEntry): Failure {
  const message = `cannot write "${printableName(entry.path)}" to a tar: its content is not where it was to be`;
  return new Failure("damaged", message, { hint: "it may have been changed while it was read" });
}

/** Where the data of a file is, if that is known and there are holes worth keeping. */
function sparseStretches({ kind, sizeBytes, content, stretches }: FileEntry): readonly FileStretch[] | undefined {
  if (kind !== "file") return undefined;
  const known =
    stretches ??
    (Array.isArray(content ?? [])
      ? ((content ?? []) as readonly DataPiece[]).map(({ at, bytes }) => ({ at, lengthBytes: bytes.length }))
      : undefined);
  if (known === undefined) return undefined;
  const dataBytes = known.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  return sizeBytes - dataBytes >= tarBlockBytes ? known : undefined;
}

/** A name that the header cannot hold as text that every tar reads alike. */
function nameRecords(key: "path" | "linkpath", name: Buffer): Buffer[] {
  const isPlain = name.length <= tarFieldLimits.nameBytes && name.every((byte) => byte < 0x80);
  if (isPlain) return [];
  const record = encodePaxRecord(key, name);
  // POSIX.1-2008: else readers take records for UTF-8.
  return isUtf8(name) ? [record] : [encodePaxRecord("hdrcharset", "BINARY"), record];
}

function headerFields(entry: FileEntry) {
  const { kind, mode, uid, gid, modified, device } = entry;
  return {
    type: typeOfKind[kind] ?? "0",
    mode,
    uid: Math.min(uid, tarFieldLimits.id),
    gid: Math.min(gid, tarFieldLimits.id),
    modifiedSeconds: Math.max(0, Math.min(modified.seconds, tarFieldLimits.seconds)),
    ...(device === undefined ? {} : { device }),
  };
}
