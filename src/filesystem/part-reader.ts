import type { BlockReader } from "../device/index.ts";
import type { DataPiece } from "../tree/index.ts";
import type { FilePlace } from "./file-system.ts";
import type { ChunkCache } from "./chunk-cache.ts";

/** Bytes of a file that stand together on the device. */
export type FilePart = FilePlace;

/** Where the content of files is read from: small pieces through the cache, with their neighbours. */
export interface PartSource {
  readonly reader: BlockReader;
  readonly contents: ChunkCache;
}

/** How much of a file is read at once. */
const pieceLimitBytes = 1024 * 1024;
const smallPieceBytes = 32 * 1024;

/** The data of a file whose parts come in ascending order. Large pieces share two buffers, read one ahead. */
export async function* readParts(
  source: PartSource,
  parts: Iterable<FilePart> | AsyncIterable<FilePart>,
): AsyncGenerator<DataPiece> {
  const buffers: Uint8Array[] = [];
  let turn = 0;
  let ahead: { readonly at: number; readonly bytes: Promise<Uint8Array> } | undefined;
  try {
    for await (const { at, deviceAt, lengthBytes } of piecesOf(parts)) {
      const before = ahead === undefined ? undefined : { at: ahead.at, bytes: await ahead.bytes };
      if (lengthBytes <= smallPieceBytes) {
        ahead = { at, bytes: source.contents.bytes(deviceAt, lengthBytes) };
      } else {
        const buffer = (buffers[turn] ??= new Uint8Array(pieceLimitBytes));
        ahead = { at, bytes: filled(source.reader, deviceAt, buffer.subarray(0, lengthBytes)) };
        turn = turn === 0 ? 1 : 0;
      }
      ahead.bytes.catch(() => {}); // seen when its turn comes
      if (before !== undefined) yield before;
    }
    if (ahead !== undefined) yield { at: ahead.at, bytes: await ahead.bytes };
  } finally {
    await ahead?.bytes.catch(() => {}); // who gives up must not close the device under a read
  }
}

async function filled(reader: BlockReader, at: number, into: Uint8Array): Promise<Uint8Array> {
  await reader.read(at, into);
  return into;
}

async function* piecesOf(parts: Iterable<FilePart> | AsyncIterable<FilePart>): AsyncGenerator<FilePart> {
  for await (const { at, deviceAt, lengthBytes } of parts) {
    for (let done = 0; done < lengthBytes; done += pieceLimitBytes) {
      yield { at: at + done, deviceAt: deviceAt + done, lengthBytes: Math.min(pieceLimitBytes, lengthBytes - done) };
    }
  }
}

/** Where the data of parts is, adjacent ones as one. */
export function stretchesOf(parts: Iterable<FilePart>): { at: number; lengthBytes: number }[] {
  const stretches: { at: number; lengthBytes: number }[] = [];
  for (const { at, lengthBytes } of parts) {
    const last = stretches.at(-1);
    if (last !== undefined && last.at + last.lengthBytes === at) last.lengthBytes += lengthBytes;
    else if (lengthBytes > 0) stretches.push({ at, lengthBytes });
  }
  return stretches;
}
