import * as fs from "node:fs/promises";
import { Failure, isSystemError, systemReason } from "../base/index.ts";
import { listArchive, type ArMember } from "./ar.ts";
import { decompress } from "./decompress.ts";
import type { TreeSource } from "./entry.ts";
import { tarOver } from "./open-tar.ts";
import { TarReader } from "./tar-reader.ts";

const pieceBytes = 1024 * 1024;
/** The largest packages of Debian install some 2 GB; control files are scripts and lists. */
const dataLimitBytes = 4 * 1024 ** 3;
const isCompressedName = /\.(gz|xz|zst)$/;
const controlLimitBytes = 64 * 1024 ** 2;

/** Both halves of a Debian package, each a tar as it is when decompressed. */
export interface DebContents {
  readonly control: Uint8Array<ArrayBuffer>;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** The files that a Debian package installs (deb(5): the member `data.tar` in whatever compression) as a tree. */
export async function openDeb(path: string): Promise<TreeSource> {
  const file = await openFile(path);
  try {
    const data = (await listArchive(file, path)).find((member) => isTar(member, "data"));
    if (data === undefined) throw new Failure("damaged", `cannot read "${path}": it has no data.tar, as packages have`);
    const source = { chunks: chunksOf(file, data), [Symbol.asyncDispose]: () => file.close() };
    return await tarOver(source, path);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Reads a package whole into memory. */
export async function readDeb(path: string): Promise<DebContents> {
  const file = await openFile(path);
  try {
    const members = await listArchive(file, path);
    const [control, data] = ["control", "data"].map((name) => members.find((member) => isTar(member, name)));
    if (control === undefined || data === undefined) {
      throw new Failure("damaged", `cannot read "${path}": it has not the two parts that packages have`);
    }
    return {
      control: await decompressWhole(chunksOf(file, control), path, controlLimitBytes),
      data: await decompressWhole(chunksOf(file, data), path, dataLimitBytes),
    };
  } finally {
    await file.close();
  }
}

/** A tar in memory as a tree; contents are views of these bytes. */
export async function tarInMemory(bytes: Uint8Array, name: string): Promise<TreeSource> {
  const once = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
  };
  return new TarReader(once(), { name });
}

/** A file in memory, decompressed where its name says that it is compressed. */
export async function decompressBytes(bytes: Uint8Array, name: string): Promise<Buffer> {
  const once = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
  };
  if (!isCompressedName.test(name)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return Buffer.from((await decompressWhole(once(), name, dataLimitBytes)).buffer);
}

async function decompressWhole(
  compressed: AsyncIterable<Uint8Array>,
  name: string,
  limitBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of (await decompress(compressed, name)).chunks) {
    pieces.push(Uint8Array.from(piece)); // the chunk is its maker's again
    length += piece.length;
    if (length > limitBytes)
      throw new Failure("damaged", `cannot read "${name}": more than ${limitBytes} bytes are in it`);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function isTar({ name }: ArMember, part: string): boolean {
  return new RegExp(`^${part}\\.tar(\\.\\w+)?$`).test(name);
}

async function openFile(path: string): Promise<fs.FileHandle> {
  try {
    return await fs.open(path, "r");
  } catch (error) {
    const code = isSystemError(error, "ENOENT", "ENOTDIR") ? "not-found" : "failed";
    throw new Failure(code, `cannot open "${path}": ${systemReason(error)}`, { cause: error });
  }
}

async function* chunksOf(file: fs.FileHandle, member: ArMember): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < member.sizeBytes;) {
    // A new buffer each time: a decompressor may still be at work on the one before.
    const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, member.sizeBytes - done));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, member.at + done);
    if (bytesRead === 0) return; // the tar in it then ends too soon, and says so
    yield buffer.subarray(0, bytesRead);
    done += bytesRead;
  }
}
