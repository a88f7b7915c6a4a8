import { TarReader } from "../../src/tree/tar-reader.ts";
import { TarWriter, type FileEntry, type TreeEntry, type TreeSource } from "../../src/tree/index.ts";
import { contentOf, type ModelTree } from "../filesystem/random-tree.ts";

/** Each chunk is overwritten when the next is asked for, as a source may do. */
export async function* reusedChunks(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(chunkBytes);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const part = bytes.subarray(at, at + chunkBytes);
    buffer.set(part);
    yield buffer.subarray(0, part.length);
    buffer.fill(0xee);
  }
}

/** A tar of these entries. */
export async function tarOf(entries: Iterable<TreeEntry> | AsyncIterable<TreeEntry>): Promise<Buffer> {
  const parts: Buffer[] = [];
  await using writer = new TarWriter(async (bytes) => void parts.push(Buffer.from(bytes)));
  for await (const entry of entries) await writer.add(entry);
  await writer.finish();
  return Buffer.concat(parts);
}

export async function* entriesOf(source: TreeSource): AsyncGenerator<TreeEntry> {
  for await (const batch of source.entries()) yield* batch;
}

export type WholeEntry =
  | Extract<TreeEntry, { kind: "hardlink" }>
  | (Omit<FileEntry, "content"> & { readonly whole: Buffer | undefined });

/** All entries, with their content as one piece. */
export async function readWhole(source: TreeSource): Promise<WholeEntry[]> {
  const all: WholeEntry[] = [];
  for await (const entry of entriesOf(source)) {
    if (entry.kind === "hardlink") {
      all.push(entry);
      continue;
    }
    const { content = [], ...rest } = entry;
    if (entry.kind !== "file") {
      all.push({ ...rest, whole: undefined });
      continue;
    }
    const whole = Buffer.alloc(entry.sizeBytes);
    for await (const piece of content) whole.set(piece.bytes, piece.at);
    all.push({ ...rest, whole });
  }
  return all;
}

export function readerOver(bytes: Uint8Array, chunkBytes = 65536): TarReader {
  return new TarReader(reusedChunks(bytes, chunkBytes), { name: "test.tar" });
}

/** What reading a tar of the tree should give: sockets do not come through. */
export function expectedOf(tree: ModelTree): WholeEntry[] {
  const sockets = new Set<string>();
  const expected: WholeEntry[] = [];
  for (const entry of tree.entries) {
    if (entry.kind === "socket" || (entry.kind === "hardlink" && sockets.has(entry.linkTarget))) {
      sockets.add(entry.path);
    } else if (entry.kind === "hardlink") {
      expected.push(entry);
    } else {
      const { fill: _fill, stride: _stride, xattrs, device, modified, ...rest } = entry;
      const numbers = device === undefined ? {} : { device: { ...device } };
      const attributes = xattrs === undefined || xattrs.size === 0 ? {} : { xattrs };
      expected.push({
        ...rest,
        modified: { ...modified },
        ...numbers,
        ...attributes,
        whole: entry.kind === "file" ? Buffer.from(contentOf(entry)) : undefined,
      });
    }
  }
  return expected;
}
