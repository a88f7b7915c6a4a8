import type { FileEntry, Timestamp, TreeSource } from "../../tree/index.ts";

/** Files in memory as a tree; they belong to root, and anyone may read them. */
export function generatedTree(
  name: string,
  files: Iterable<readonly [path: string, bytes: Uint8Array]>,
  now: Timestamp,
): TreeSource {
  const metadata = { kind: "file", mode: 0o644, uid: 0, gid: 0, modified: now } as const;
  const entries = Array.from(files, ([path, bytes]): FileEntry => {
    const content = bytes.length === 0 ? {} : { content: [{ at: 0, bytes }] };
    return { path, sizeBytes: bytes.length, ...content, ...metadata };
  });
  return {
    name,
    async *entries() {
      yield entries;
    },
    async [Symbol.asyncDispose]() {},
  };
}
