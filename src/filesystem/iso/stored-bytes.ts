import type { FilePart, PartSource } from "../part-reader.ts";

/** The data of a file as it is stored: packed, or in the parts of a sparse file. */
export interface StoredFile {
  readonly source: PartSource;
  /** In ascending order, without holes between them. */
  readonly parts: readonly FilePart[];
}

/** How much is stored. */
export function storedLength(parts: readonly FilePart[]): number {
  return parts.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
}

/** Bytes of what is stored, which the caller has found to be there. */
export async function storedBytes(file: StoredFile, at: number, lengthBytes: number): Promise<Uint8Array> {
  const into = new Uint8Array(lengthBytes);
  for (const { at: partAt, deviceAt, lengthBytes: length } of storedParts(file.parts, at, lengthBytes)) {
    await file.source.reader.read(deviceAt, into.subarray(partAt - at, partAt - at + length));
  }
  return into;
}

/** Where a stretch of what is stored stands on the device. */
export function* storedParts(parts: readonly FilePart[], at: number, lengthBytes: number): Generator<FilePart> {
  for (const part of parts) {
    const start = Math.max(at, part.at);
    const end = Math.min(at + lengthBytes, part.at + part.lengthBytes);
    if (start < end) yield { at: start, deviceAt: part.deviceAt + start - part.at, lengthBytes: end - start };
  }
}
