import { MemoryDevice } from "../../src/device/index.ts";
import { makeExt } from "../../src/filesystem/ext/index.ts";
import {
  editFileSystem,
  openFileSystem,
  treeOf,
  type EditableFileSystem,
  type FileSystem,
} from "../../src/filesystem/index.ts";
import type { FileEntry, TreeEntry } from "../../src/tree/index.ts";

const now = { seconds: 1, nanoseconds: 0 };
const metadata = { mode: 0o755, uid: 0, gid: 0, modified: now, sizeBytes: 0 };

/**
 * A small ext4 file system in memory, from a line for each file: `a/` a directory, `a/b -> c` a symbolic link,
 * `a/b = c` a hard link, `a/b: text` a file.
 */
export async function memoryFileSystem(...lines: readonly string[]): Promise<FileSystem> {
  return openFileSystem(await memoryDevice(lines));
}

/** The same, open for changes. */
export async function editableFileSystem(...lines: readonly string[]): Promise<EditableFileSystem> {
  return editFileSystem(await memoryDevice(lines), { now });
}

/** What a file system holds, as lines of the same kind in the order of the names, with modes and owners that stand out. */
export async function linesOf(fileSystem: FileSystem): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of treeOf(fileSystem, "/").entries()) {
    for (const entry of batch) {
      if (entry.path === "" || entry.path === "lost+found") continue;
      if (entry.kind === "hardlink") lines.push(`${entry.path} = ${entry.linkTarget}`);
      else lines.push((await lineOf(entry)) + notesOn(entry));
    }
  }
  return lines;
}

async function lineOf(entry: FileEntry): Promise<string> {
  if (entry.kind === "directory") return `${entry.path}/`;
  if (entry.kind === "symlink") return `${entry.path} -> ${entry.linkTarget}`;
  if (entry.kind !== "file") return `${entry.path} (${entry.kind})`;
  const bytes = Buffer.alloc(entry.sizeBytes);
  for await (const piece of entry.content ?? []) bytes.set(piece.bytes, piece.at);
  return `${entry.path}: ${bytes.toString("latin1")}`;
}

function notesOn({ kind, mode, uid, gid }: FileEntry): string {
  const usual = kind === "symlink" ? mode : kind === "directory" ? 0o755 : 0o644;
  const modeNote = mode === usual ? "" : ` ${mode.toString(8).padStart(4, "0")}`;
  return modeNote + (uid === 0 && gid === 0 ? "" : ` ${uid}:${gid}`);
}

async function memoryDevice(lines: readonly string[]): Promise<MemoryDevice> {
  const device = new MemoryDevice(new Uint8Array(4 * 1024 * 1024));
  const entries = lines.map((line) => entryFrom(line));
  const source = {
    name: "lines",
    async *entries() {
      yield entries;
    },
    async [Symbol.asyncDispose]() {},
  };
  await makeExt(device, [source], { kind: "ext4", blockSizeBytes: 1024, now });
  return device;
}

function entryFrom(line: string): TreeEntry {
  const [, path = "", mark, rest = ""] = /^(.*?)(\/$| -> | = |: )(.*)$/s.exec(line) ?? [];
  if (mark === " -> ") return { ...metadata, path, kind: "symlink", linkTarget: rest };
  if (mark === " = ") return { path, kind: "hardlink", linkTarget: rest };
  if (mark === "/") return { ...metadata, path, kind: "directory" };
  const bytes = Buffer.from(rest);
  return { ...metadata, mode: 0o644, path, kind: "file", sizeBytes: bytes.length, content: [{ at: 0, bytes }] };
}
