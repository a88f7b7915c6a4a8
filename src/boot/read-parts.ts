import type { FileSystem } from "../filesystem/index.ts";

/** Bytes of a file. */
export interface FileRange {
  readonly at: number;
  readonly lengthBytes: number;
}

/** Some parts of a file, shorter where it ends before. It is read from its start to the last of them. */
export async function readParts(
  fileSystem: FileSystem,
  id: number,
  ranges: readonly FileRange[],
): Promise<readonly Uint8Array[]> {
  const { sizeBytes } = await fileSystem.stat(id);
  const parts = ranges.map(({ at, lengthBytes }) => new Uint8Array(Math.max(0, Math.min(lengthBytes, sizeBytes - at))));
  const end = Math.max(0, ...ranges.map(({ at }, n) => at + (parts[n]?.length ?? 0)));
  if (end === 0) return parts;
  for await (const piece of fileSystem.content(id)) {
    if (piece.at >= end) break;
    for (const [n, { at }] of ranges.entries()) copyOverlap(piece.at, piece.bytes, at, parts[n]);
    if (piece.at + piece.bytes.length >= end) break;
  }
  return parts;
}

function copyOverlap(pieceAt: number, piece: Uint8Array, at: number, part: Uint8Array | undefined): void {
  if (part === undefined) return;
  const from = Math.max(at, pieceAt);
  const to = Math.min(at + part.length, pieceAt + piece.length);
  if (from < to) part.set(piece.subarray(from - pieceAt, to - pieceAt), from - at);
}
