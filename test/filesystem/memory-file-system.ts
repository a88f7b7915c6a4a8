import { MemoryDevice } from "../../src/device/index.ts";
import { makeExt, openExt, type FileSystem } from "../../src/filesystem/index.ts";
import type { TreeEntry } from "../../src/tree/index.ts";

const metadata = { mode: 0o755, uid: 0, gid: 0, modified: { seconds: 1, nanoseconds: 0 }, sizeBytes: 0 };

/**
 * A small ext4 file system in memory, from a line for each file: `a/` a directory, `a/b -> c` a symbolic link,
 * `a/b = c` a hard link, `a/b: text` a file.
 */
export async function memoryFileSystem(...lines: readonly string[]): Promise<FileSystem> {
  const device = new MemoryDevice(new Uint8Array(4 * 1024 * 1024));
  const entries = lines.map((line) => entryOf(line));
  const source = {
    name: "lines",
    async *entries() {
      yield entries;
    },
    async [Symbol.asyncDispose]() {},
  };
  await makeExt(device, [source], { kind: "ext4", blockSizeBytes: 1024, now: { seconds: 1, nanoseconds: 0 } });
  return openExt(device);
}

function entryOf(line: string): TreeEntry {
  const [, path = "", mark, rest = ""] = /^(.*?)(\/$| -> | = |: )(.*)$/.exec(line) ?? [];
  if (mark === " -> ") return { ...metadata, path, kind: "symlink", linkTarget: rest };
  if (mark === " = ") return { path, kind: "hardlink", linkTarget: rest };
  if (mark === "/") return { ...metadata, path, kind: "directory" };
  const bytes = Buffer.from(rest);
  return { ...metadata, path, kind: "file", sizeBytes: bytes.length, content: [{ at: 0, bytes }] };
}
