import { Failure } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import { aclToText } from "./acl-text.ts";
import type { DataPiece, FileEntry, TreeEntry, TreeTarget } from "./entry.ts";
import { encodeMember, type MemberHeader } from "./tar-encode.ts";
import { tarBlockBytes } from "./tar-header.ts";
import { encodePaxRecord, encodePaxTime, paxXattrKey } from "./tar-pax.ts";

/** Takes bytes in order; they are the writer's again when the promise is fulfilled. */
export type ByteSink = (bytes: Uint8Array) => Promise<void>;

export interface TarWriterOptions {
  /** Also times of access, change and creation, which make two tars of the same files differ. */
  readonly allTimes?: boolean;
}

const bufferBytes = 1024 * 1024;
/** Tars are made of records of twenty blocks. */
const recordBytes = 20 * tarBlockBytes;
/** Holes that come to less than this are written as zeros. */
const worthwhileHoleBytes = 4096;
/**
 * The map of a sparse file stands before its content. Of a file whose content is streamed it is known only
 * once all has come, and up to so much is kept for that; the holes of a larger one become zeros.
 */
const keptContentLimitBytes = 64 * 1024 * 1024;

const typeOfKind = { file: "0", symlink: "2", character: "3", block: "4", directory: "5", fifo: "6" } as const;
const zeros = Buffer.alloc(64 * 1024);

/** Writes a tree as a tar: ustar, with pax records where they are needed. The same entries give the same bytes. */
export class TarWriter implements TreeTarget {
  /** What was left out, one sentence each. */
  readonly warnings: string[] = [];
  readonly #sink: ByteSink;
  readonly #allTimes: boolean;
  readonly #buffer = Buffer.allocUnsafeSlow(bufferBytes);
  /** Left out, and so are further names of them. */
  readonly #sockets = new Set<string>();
  #used = 0;
  #written = 0;

  constructor(sink: ByteSink, options: TarWriterOptions = {}) {
    this.#sink = sink;
    this.#allTimes = options.allTimes ?? false;
  }

  async add(entry: TreeEntry): Promise<void> {
    if (entry.kind === "socket" || (entry.kind === "hardlink" && this.#sockets.has(entry.linkTarget))) {
      this.#sockets.add(entry.path);
      this.warnings.push(`"${printableName(entry.path)}" is a socket, which a tar cannot hold`);
      return;
    }
    if (entry.kind === "hardlink") return this.#put(encodeMember(hardLinkHeader(entry.path, entry.linkTarget)));
    const records = this.#recordsOf(entry);
    if (entry.kind === "file") return this.#addFile(entry, records);
    await this.#put(encodeMember(headerOf(entry, typeOfKind[entry.kind], 0), records));
  }

  async finish(): Promise<void> {
    const end = this.#written + 2 * tarBlockBytes;
    await this.#putZeros(Math.ceil(end / recordBytes) * recordBytes - this.#written);
    await this.#flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #addFile(entry: FileEntry, records: readonly Buffer[]): Promise<void> {
    const content = entry.content ?? [];
    if (isArray(content)) return this.#addKnown(entry, content, records);
    const iterator = content[Symbol.asyncIterator]();
    try {
      const { kept, isAll } = await keepStart(iterator, entry);
      if (isAll) return await this.#addKnown(entry, kept, records);
      await this.#put(encodeMember(headerOf(entry, "0", entry.sizeBytes), records));
      await this.#putPieces(entry, continued(kept, iterator));
    } finally {
      await iterator.return?.();
    }
  }

  async #addKnown(entry: FileEntry, pieces: readonly DataPiece[], records: readonly Buffer[]): Promise<void> {
    const dataBytes = pieces.reduce((sum, piece) => sum + piece.bytes.length, 0);
    if (entry.sizeBytes - dataBytes >= worthwhileHoleBytes) return this.#addSparse(entry, pieces, records);
    await this.#put(encodeMember(headerOf(entry, "0", entry.sizeBytes), records));
    await this.#putPieces(entry, pieces);
  }

  /** GNU's sparse form 1.0: a map of the stretches, a number a line, then these one after the other. */
  async #addSparse(entry: FileEntry, pieces: readonly DataPiece[], records: readonly Buffer[]): Promise<void> {
    const { map, dataBytes } = sparseMapOf(entry, pieces);
    const slash = entry.path.lastIndexOf("/") + 1;
    const path = `${entry.path.slice(0, slash)}GNUSparseFile.0/${entry.path.slice(slash)}`;
    const sparse = [
      encodePaxRecord("GNU.sparse.major", "1"),
      encodePaxRecord("GNU.sparse.minor", "0"),
      encodePaxRecord("GNU.sparse.name", entry.path),
      encodePaxRecord("GNU.sparse.realsize", String(entry.sizeBytes)),
    ];
    const header = { ...headerOf(entry, "0", map.length + dataBytes), path };
    await this.#put(encodeMember(header, [...sparse, ...records]));
    await this.#put(map);
    for (const piece of pieces) await this.#put(piece.bytes);
    await this.#pad(dataBytes);
  }

  /** Writes the pieces with zeros for what is between them. */
  async #putPieces(entry: FileEntry, pieces: Iterable<DataPiece> | AsyncIterable<DataPiece>): Promise<void> {
    let end = 0;
    for await (const { at, bytes } of pieces) {
      if (at < end || at + bytes.length > entry.sizeBytes) throw outOfPlace(entry);
      await this.#putZeros(at - end);
      await this.#put(bytes);
      end = at + bytes.length;
    }
    await this.#putZeros(entry.sizeBytes - end);
    await this.#pad(entry.sizeBytes);
  }

  #recordsOf(entry: FileEntry): readonly Buffer[] {
    const records: Buffer[] = [];
    if (this.#allTimes) {
      if (entry.accessed !== undefined) records.push(encodePaxRecord("atime", encodePaxTime(entry.accessed)));
      if (entry.changed !== undefined) records.push(encodePaxRecord("ctime", encodePaxTime(entry.changed)));
      if (entry.created !== undefined) {
        records.push(encodePaxRecord("LIBARCHIVE.creationtime", encodePaxTime(entry.created)));
      }
    }
    if (entry.xattrs === undefined) return records;
    const names = [...entry.xattrs.keys()].sort();
    for (const name of names) records.push(xattrRecord(name, entry.xattrs.get(name) ?? new Uint8Array(0)));
    return records;
  }

  async #pad(sizeBytes: number): Promise<void> {
    await this.#putZeros(-sizeBytes & (tarBlockBytes - 1));
  }

  async #putZeros(lengthBytes: number): Promise<void> {
    for (let left = lengthBytes; left > 0; left -= zeros.length) {
      await this.#put(left < zeros.length ? zeros.subarray(0, left) : zeros);
    }
  }

  async #put(bytes: Uint8Array): Promise<void> {
    this.#written += bytes.length;
    if (this.#used + bytes.length > bufferBytes) await this.#flush();
    if (bytes.length >= bufferBytes) return this.#sink(bytes);
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  async #flush(): Promise<void> {
    if (this.#used === 0) return;
    await this.#sink(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }
}

function isArray(content: NonNullable<FileEntry["content"]>): content is readonly DataPiece[] {
  return Array.isArray(content);
}

/** Copies pieces until all have come or there are too many to keep. */
async function keepStart(
  iterator: AsyncIterator<DataPiece>,
  entry: FileEntry,
): Promise<{ readonly kept: readonly DataPiece[]; readonly isAll: boolean }> {
  const kept: DataPiece[] = [];
  for (let keptBytes = 0; keptBytes <= keptContentLimitBytes;) {
    const next = await iterator.next();
    if (next.done === true) return { kept, isAll: true };
    kept.push({ at: next.value.at, bytes: Uint8Array.from(next.value.bytes) });
    keptBytes += next.value.bytes.length;
    if (keptBytes >= entry.sizeBytes) return { kept, isAll: true };
  }
  return { kept, isAll: false };
}

async function* continued(
  kept: readonly DataPiece[],
  iterator: AsyncIterator<DataPiece>,
): AsyncGenerator<DataPiece, void, void> {
  yield* kept;
  for (;;) {
    const next = await iterator.next();
    if (next.done === true) return;
    yield next.value;
  }
}

function sparseMapOf(
  entry: FileEntry,
  pieces: readonly DataPiece[],
): { readonly map: Buffer; readonly dataBytes: number } {
  const stretches: { at: number; lengthBytes: number }[] = [];
  let end = 0;
  let dataBytes = 0;
  for (const { at, bytes } of pieces) {
    if (at < end || at + bytes.length > entry.sizeBytes) throw outOfPlace(entry);
    const last = stretches.at(-1);
    if (last !== undefined && at === end) last.lengthBytes += bytes.length;
    else stretches.push({ at, lengthBytes: bytes.length });
    end = at + bytes.length;
    dataBytes += bytes.length;
  }
  // GNU tar takes the end of a file that ends with a hole from here.
  if (end < entry.sizeBytes) stretches.push({ at: entry.sizeBytes, lengthBytes: 0 });
  const lines = stretches.map(({ at, lengthBytes }) => `${at}\n${lengthBytes}\n`);
  const text = `${stretches.length}\n${lines.join("")}`;
  const map = Buffer.alloc(Math.ceil(text.length / tarBlockBytes) * tarBlockBytes);
  map.write(text, "latin1");
  return { map, dataBytes };
}

function headerOf(entry: FileEntry, type: string, sizeBytes: number): MemberHeader {
  const { mode, uid, gid, modified, linkTarget, device } = entry;
  const path = entry.kind === "directory" ? (entry.path === "" ? "./" : `${entry.path}/`) : entry.path;
  const linkName = linkTarget === undefined ? {} : { linkName: linkTarget };
  return { path, type, mode, uid, gid, modified, sizeBytes, ...linkName, ...(device === undefined ? {} : { device }) };
}

function hardLinkHeader(path: string, linkName: string): MemberHeader {
  const modified = { seconds: 0, nanoseconds: 0 };
  return { path, type: "1", mode: 0, uid: 0, gid: 0, sizeBytes: 0, modified, linkName };
}

function xattrRecord(name: string, value: Uint8Array): Buffer {
  const aclKey = aclKeys.get(name);
  const text = aclKey === undefined ? undefined : aclToText(value);
  if (aclKey !== undefined && text !== undefined) return encodePaxRecord(aclKey, text);
  return encodePaxRecord(paxXattrKey(name), value);
}

const aclKeys: ReadonlyMap<string, string> = new Map([
  ["system.posix_acl_access", "SCHILY.acl.access"],
  ["system.posix_acl_default", "SCHILY.acl.default"],
]);

function outOfPlace(entry: FileEntry): Failure {
  return new Failure(
    "failed",
    `cannot write "${printableName(entry.path)}" to the tar: its content does not fit its size`,
  );
}
