import { createHash } from "node:crypto";
import { Failure } from "../../src/base/index.ts";
import { resolvePath, treeOf, type EditableFileSystem, type FileSystem } from "../../src/filesystem/index.ts";
import { Dice } from "../dice.ts";

export { Dice };

/** One random change, in words that both an image and a mounted folder can carry out. */
export type RandomEdit =
  | { readonly verb: "file"; readonly path: string; readonly bytes: Uint8Array; readonly mode: number }
  | { readonly verb: "mkdir" | "rmdir" | "unlink"; readonly path: string }
  | { readonly verb: "write"; readonly path: string; readonly at: number; readonly bytes: Uint8Array }
  | { readonly verb: "truncate"; readonly path: string; readonly sizeBytes: number }
  | { readonly verb: "rename" | "link"; readonly path: string; readonly to: string }
  | { readonly verb: "symlink"; readonly path: string; readonly target: string }
  | { readonly verb: "chmod"; readonly path: string; readonly mode: number }
  | { readonly verb: "chown"; readonly path: string; readonly uid: number; readonly gid: number };

/** The folders of the small world in which random edits take place, each after the one that it is in. */
export const folders = ["", "a", "b", "a/c", "b/é", "a/c/d"];

/** A name out of a small world, so that edits meet what earlier ones made. */
function randomPath(dice: Dice): string {
  const folder = dice.pick(folders);
  const number = dice.below(60);
  const name = number % 7 === 0 ? `${number}-${"long".repeat((number % 5) * 12)}` : `n${number}`;
  return folder === "" ? name : `${folder}/${name}`;
}

export function randomEdit(dice: Dice): RandomEdit {
  const path = randomPath(dice);
  const roll = dice.below(100);
  if (roll < 25) {
    const length = dice.below(10) === 0 ? dice.below(200_000) : dice.below(3000);
    return { verb: "file", path, bytes: dice.bytes(length), mode: 0o600 + dice.below(64) };
  }
  if (roll < 33) return { verb: "mkdir", path: dice.below(2) === 0 ? dice.pick(folders.slice(1)) : path };
  if (roll < 45) return { verb: "write", path, at: dice.below(40_000), bytes: dice.bytes(1 + dice.below(9000)) };
  if (roll < 52) return { verb: "truncate", path, sizeBytes: dice.below(60_000) };
  if (roll < 65) return { verb: "rename", path, to: randomPath(dice) };
  if (roll < 69) return { verb: "rename", path: dice.pick(folders.slice(1)), to: dice.pick(folders.slice(1)) };
  if (roll < 75) return { verb: "link", path, to: randomPath(dice) };
  if (roll < 81) return { verb: "symlink", path, target: "t".repeat(1 + dice.below(dice.below(3) === 0 ? 300 : 59)) };
  if (roll < 85) return { verb: "chmod", path, mode: dice.below(0o10000) };
  if (roll < 88) return { verb: "chown", path, uid: dice.below(100_000), gid: dice.below(100_000) };
  return { verb: roll < 96 ? "unlink" : "rmdir", path: roll < 96 ? path : dice.pick([path, ...folders.slice(1)]) };
}

const modified = { seconds: 1_700_000_000, nanoseconds: 0 };

/** Carries an edit out in a file system open for changes; false where it is refused, as a kernel would refuse it. */
export async function applyRandomEdit(fileSystem: EditableFileSystem, edit: RandomEdit): Promise<boolean> {
  try {
    await apply(fileSystem, edit);
    return true;
  } catch (error) {
    if (error instanceof Failure && ["failed", "exists", "not-found"].includes(error.code)) return false;
    throw error;
  }
}

async function apply(fileSystem: EditableFileSystem, edit: RandomEdit): Promise<void> {
  const place = await placeOf(fileSystem, edit.path);
  const owner = { uid: 0, gid: 0, modified };
  const existing = async () => resolvePath(fileSystem, edit.path, { followLast: false });
  switch (edit.verb) {
    case "file": {
      const content = edit.bytes.length === 0 ? [] : [{ at: 0, bytes: edit.bytes }];
      const file = { kind: "file", mode: edit.mode, ...owner, sizeBytes: edit.bytes.length, content } as const;
      const before = await fileSystem.find(place.directory, place.name);
      if (before === undefined) await fileSystem.create(place, file);
      else await fileSystem.replaceContent(before, file);
      return;
    }
    case "mkdir":
      await fileSystem.create(place, { kind: "directory", mode: 0o755, ...owner, sizeBytes: 0 });
      return;
    case "rmdir":
    case "unlink": {
      const { kind } = await fileSystem.stat(await existing());
      if ((kind === "directory") !== (edit.verb === "rmdir")) throw new Failure("failed", "wrong kind");
      return fileSystem.remove(place);
    }
    case "write":
      return fileSystem.write(await existing(), edit.at, edit.bytes);
    case "truncate":
      return fileSystem.truncate(await existing(), edit.sizeBytes);
    case "rename":
      return fileSystem.rename(place, await placeOf(fileSystem, edit.to));
    case "link":
      return fileSystem.link(await placeOf(fileSystem, edit.to), await existing());
    case "symlink": {
      const link = { kind: "symlink", mode: 0o777, ...owner, sizeBytes: 0, linkTarget: edit.target } as const;
      await fileSystem.create(place, link);
      return;
    }
    case "chmod": {
      const id = await existing();
      if ((await fileSystem.stat(id)).kind === "symlink") throw new Failure("failed", "a link");
      return fileSystem.setMetadata(id, { mode: edit.mode });
    }
    case "chown":
      return fileSystem.setMetadata(await existing(), { uid: edit.uid, gid: edit.gid });
  }
}

async function placeOf(fileSystem: EditableFileSystem, path: string) {
  const cut = path.lastIndexOf("/");
  const directory = await resolvePath(fileSystem, path.slice(0, Math.max(0, cut)));
  if ((await fileSystem.stat(directory)).kind !== "directory") throw new Failure("not-found", "no directory");
  return { directory, name: path.slice(cut + 1) };
}

/** All that can be seen of a tree, a line a file, in order: kinds, modes, owners, sizes, links, content. */
export async function fingerprint(fileSystem: FileSystem): Promise<string> {
  const lines: string[] = [];
  for await (const batch of treeOf(fileSystem, "/").entries()) {
    for (const entry of batch) {
      if (entry.path === "lost+found") continue;
      if (entry.kind === "hardlink") {
        lines.push(`${entry.path} = ${entry.linkTarget}`);
        continue;
      }
      const hash = createHash("sha256");
      let position = 0;
      for await (const { at, bytes } of entry.content ?? []) {
        hash.update(new Uint8Array(at - position)).update(bytes);
        position = at + bytes.length;
      }
      hash.update(new Uint8Array(entry.sizeBytes - position));
      const { path, kind, mode, uid, gid, sizeBytes, linkTarget = "" } = entry;
      const digest = kind === "file" ? hash.digest("hex").slice(0, 16) : "";
      lines.push(`${path} ${kind} ${mode.toString(8)} ${uid}:${gid} ${sizeBytes} ${linkTarget} ${digest}`);
    }
  }
  return lines.toSorted().join("\n");
}
