import * as fc from "fast-check";
import type { DataPiece, FileEntry, HardLinkEntry, TreeEntry, TreeSource } from "../../src/tree/index.ts";

/** A file of a random tree. Its content is told by few numbers, so that a counterexample can be read. */
export type ModelFile = Omit<FileEntry, "content"> & {
  readonly fill: number;
  /** Every so many bytes a hole of as many follows. */
  readonly stride: number | undefined;
};
export type ModelEntry = ModelFile | HardLinkEntry;

/** Entries in an order in which each folder stands before what it holds. */
export interface ModelTree {
  readonly entries: readonly ModelEntry[];
}

const sizes = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.constantFrom(1023, 1024, 1025, 4095, 4096, 4097, 12 * 1024, 12 * 1024 + 1, 49152, 49153),
  fc.integer({ min: 0, max: 400_000 }),
);

const names = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-z0-9][a-zA-Z0-9_.-]{0,20}$/) },
  { weight: 1, arbitrary: fc.constantFrom("ü", "日本語", "a b", "x".repeat(255), "-rf", "quote'") },
);

const times = fc.record(
  { seconds: fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 33 }), nanoseconds: fc.integer({ min: 0, max: 999_999_999 }) },
  { noNullPrototype: true },
);

const ids = fc.oneof(fc.constantFrom(0, 1000, 65534, 65536, 4294967294), fc.integer({ min: 0, max: 2 ** 32 - 2 }));

const xattrs = fc.dictionary(fc.stringMatching(/^(user|trusted)\.[a-z0-9]{1,30}$/), fc.uint8Array({ maxLength: 120 }), {
  maxKeys: 4,
  noNullPrototype: true,
});

const metadata = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: ids,
  gid: ids,
  modified: times,
  xattrs: fc.option(xattrs, { freq: 4, nil: undefined }),
});

const shapes = fc.record({
  kind: fc.constantFrom(
    ...(["file", "file", "file", "file", "directory", "directory", "symlink", "hardlink"] as const),
    ...(["character", "block", "fifo", "socket"] as const),
  ),
  name: names,
  metadata,
  sizeBytes: sizes,
  fill: fc.integer({ min: 1, max: 255 }),
  stride: fc.option(fc.constantFrom(1000, 4096, 8192, 65536), { freq: 4, nil: undefined }),
  linkTarget: fc.stringMatching(/^[a-z./]{1,200}$/),
  device: fc.record(
    { major: fc.integer({ min: 0, max: 4095 }), minor: fc.integer({ min: 0, max: 0xfffff }) },
    { noNullPrototype: true },
  ),
  /** Where in the tree: picks one of the folders that are there already. */
  parent: fc.nat(),
});

/** Trees of up to `maxLength` files of all kinds. */
export function randomTree(maxLength: number): fc.Arbitrary<ModelTree> {
  return fc.array(shapes, { maxLength, size: "max" }).map((list) => {
    const folders = [""];
    const files: string[] = [];
    const taken = new Set(["lost+found"]);
    const entries: ModelEntry[] = [];
    for (const shape of list) {
      const folder = folders[shape.parent % folders.length] ?? "";
      const path = folder === "" ? shape.name : `${folder}/${shape.name}`;
      if (taken.has(path)) continue;
      taken.add(path);
      if (shape.kind === "hardlink") {
        const linkTarget = files[shape.parent % Math.max(files.length, 1)];
        if (linkTarget !== undefined) entries.push({ path, kind: "hardlink", linkTarget });
        continue;
      }
      const isFile = shape.kind === "file";
      const attributes = shape.metadata.xattrs;
      const hasAttributes = attributes !== undefined && (isFile || shape.kind === "directory");
      entries.push({
        path,
        kind: shape.kind,
        mode: shape.kind === "symlink" ? 0o777 : shape.metadata.mode,
        uid: shape.metadata.uid,
        gid: shape.metadata.gid,
        modified: shape.metadata.modified,
        ...(hasAttributes ? { xattrs: new Map(Object.entries(attributes)) } : {}),
        sizeBytes: isFile ? shape.sizeBytes : 0,
        fill: shape.fill,
        stride: shape.stride,
        ...(shape.kind === "symlink" ? { linkTarget: shape.linkTarget } : {}),
        ...(shape.kind === "character" || shape.kind === "block" ? { device: shape.device } : {}),
      });
      if (shape.kind === "directory") folders.push(path);
      else files.push(path);
    }
    return { entries };
  });
}

type Described = Pick<ModelFile, "sizeBytes" | "stride" | "fill">;

function piecesOf({ sizeBytes, stride, fill }: Described): DataPiece[] {
  const step = stride ?? Math.max(sizeBytes, 1);
  const pieces: DataPiece[] = [];
  for (let at = 0; at < sizeBytes; at += step * 2) {
    const length = Math.min(step, sizeBytes - at);
    pieces.push({ at, bytes: Uint8Array.from({ length }, (_, n) => (fill + n * 7 + at) & 0xff) });
  }
  return pieces;
}

/** The whole content of a file, holes as zeros. */
export function contentOf(file: Described): Uint8Array {
  const whole = new Uint8Array(file.sizeBytes);
  for (const { at, bytes } of piecesOf(file)) whole.set(bytes, at);
  return whole;
}

/** The tree as a source; `batchLength` entries at a time, and the content of every other file as a stream. */
export function sourceOf(tree: ModelTree, batchLength = 7): TreeSource {
  return {
    name: "random tree",
    async *entries() {
      for (let first = 0; first < tree.entries.length; first += batchLength) {
        for (const [n, entry] of tree.entries.slice(first, first + batchLength).entries()) {
          yield [toTreeEntry(entry, n % 2 === 1)];
        }
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

function toTreeEntry(entry: ModelEntry, asStream: boolean): TreeEntry {
  if (entry.kind === "hardlink") return entry;
  const { fill: _fill, stride: _stride, ...rest } = entry;
  const pieces = piecesOf(entry);
  if (pieces.length === 0) return rest;
  return { ...rest, content: asStream ? stream(pieces) : pieces };
}

async function* stream(pieces: readonly DataPiece[]): AsyncGenerator<DataPiece> {
  for (const piece of pieces) {
    // In odd parts, so that pieces begin and end within blocks.
    for (let done = 0; done < piece.bytes.length; done += 3001) {
      yield { at: piece.at + done, bytes: piece.bytes.slice(done, done + 3001) };
    }
  }
}
