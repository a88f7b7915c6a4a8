/** Random changes to a small tree, carried out in a file system of ours and somewhere else. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { Failure } from "../../src/base/index.ts";
import { FileReader } from "../../src/device/index.ts";
import { openFileSystem, resolvePath, treeOf, type EditableFileSystem } from "../../src/filesystem/index.ts";
import type { Dice } from "../filesystem/random-edits.ts";

const modified = { seconds: 1_700_000_000, nanoseconds: 0 };

/** A tree as a list of paths, `path/` for a directory, `path hash` for a file. */
export type Tree = readonly string[];

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

/** The tree in an image as this program reads it, which has to be in order but for clusters that are marked bad. */
export async function treeOfImage(image: string): Promise<Tree> {
  await using reader = await FileReader.open(image);
  await using fileSystem = await openFileSystem(reader);
  const lines: string[] = [];
  for await (const batch of treeOf(fileSystem, "/").entries()) {
    for (const entry of batch) {
      if (entry.path === "") continue;
      if (entry.kind === "directory") lines.push(`${entry.path}/`);
      if (entry.kind !== "file") continue;
      const pieces: Uint8Array[] = [];
      for await (const { bytes } of entry.content ?? []) pieces.push(Uint8Array.from(bytes));
      lines.push(`${entry.path} ${hashOf(Buffer.concat(pieces))}`);
    }
  }
  const problems: string[] = [];
  for await (const { message } of fileSystem.check()) problems.push(message);
  assert.deepEqual(
    problems.filter((message) => !/marked bad/.test(message)),
    [],
  );
  return lines.toSorted();
}

export function treeOfFolder(root: string): Tree {
  const lines: string[] = [];
  for (const entry of fs.readdirSync(root, { recursive: true, withFileTypes: true })) {
    const name = path.relative(root, path.join(entry.parentPath, entry.name));
    lines.push(entry.isDirectory() ? `${name}/` : `${name} ${hashOf(fs.readFileSync(path.join(root, name)))}`);
  }
  return lines.toSorted();
}

export function inLowerCase(tree: Tree): Tree {
  return tree.map((line) => line.toLowerCase()).toSorted();
}

/** The other place. Paths are without a `/` in front. */
export interface Mirror {
  put(name: string, bytes: Uint8Array): void;
  makeDirectory(name: string): void;
  remove(name: string): void;
  removeDirectory(name: string): void;
  move(from: string, to: string, model: Model): void;
}

/** What random edits are to have made: directories and files by their paths. */
export class Model {
  readonly entries = new Map<string, Uint8Array | undefined>();

  get tree(): Tree {
    return [...this.entries]
      .map(([name, bytes]) => (bytes === undefined ? `${name}/` : `${name} ${hashOf(bytes)}`))
      .toSorted();
  }

  hasParent(name: string): boolean {
    const parent = path.dirname(name);
    return parent === "." || (this.entries.has(parent) && this.entries.get(parent) === undefined);
  }

  isEmpty(name: string): boolean {
    return ![...this.entries.keys()].some((other) => other.startsWith(`${name}/`));
  }

  move(from: string, to: string): void {
    for (const [name, bytes] of Array.from(this.entries)) {
      if (name !== from && !name.startsWith(`${from}/`)) continue;
      this.entries.delete(name);
      this.entries.set(to + name.slice(from.length), bytes);
    }
  }
}

const worldFolders = ["", "a", "b", "a/Long Folder", "b/é", "a/Long Folder/d"];

function randomPath(dice: Dice): string {
  const folder = dice.pick(worldFolders);
  const number = dice.below(30);
  const name = ["n", "Mixed ", "ü", "a name that is longer than one entry "][number % 4] ?? "";
  return (folder === "" ? "" : `${folder}/`) + name + number;
}

/** Carries a random change out in all three; false where it is not possible. */
export async function randomChange(
  dice: Dice,
  model: Model,
  fileSystem: EditableFileSystem,
  mirror: Mirror,
): Promise<boolean> {
  const name = dice.below(12) === 0 ? dice.pick(worldFolders.slice(1)) : randomPath(dice);
  const isThere = model.entries.has(name);
  const bytes = model.entries.get(name);
  const roll = dice.below(100);
  if (!model.hasParent(name)) return false;
  const directory = await resolvePath(fileSystem, path.dirname(name));
  const place = { directory, name: path.basename(name) };
  if (!isThere && (roll < 15 || worldFolders.includes(name))) {
    await fileSystem.create(place, directoryOf());
    mirror.makeDirectory(name);
    model.entries.set(name, undefined);
    return true;
  }
  if (!isThere) {
    const created = dice.bytes(dice.below(10) === 0 ? dice.below(30_000) : dice.below(3000));
    await fileSystem.create(place, fileOf(created));
    mirror.put(name, created);
    model.entries.set(name, created);
    return true;
  }
  const id = await resolvePath(fileSystem, name);
  if (roll < 20) {
    const to = randomPath(dice);
    if (model.entries.has(to) || !model.hasParent(to) || to.startsWith(`${name}/`)) return false;
    await fileSystem.rename(place, {
      directory: await resolvePath(fileSystem, path.dirname(to)),
      name: path.basename(to),
    });
    mirror.move(name, to, model);
    model.move(name, to);
    return true;
  }
  if (bytes === undefined) {
    if (!model.isEmpty(name)) {
      await assert.rejects(fileSystem.remove(place), (error) => error instanceof Failure && error.code === "failed");
      return false;
    }
    await fileSystem.remove(place);
    mirror.removeDirectory(name);
    model.entries.delete(name);
    return true;
  }
  if (roll < 35) {
    await fileSystem.remove(place);
    mirror.remove(name);
    model.entries.delete(name);
    return true;
  }
  const changed = await randomContentChange(dice, fileSystem, id, bytes);
  mirror.put(name, changed);
  model.entries.set(name, changed);
  return true;
}

async function randomContentChange(
  dice: Dice,
  fileSystem: EditableFileSystem,
  id: number,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const roll = dice.below(3);
  if (roll === 0) {
    const changed = dice.bytes(dice.below(20_000));
    const pieces = changed.length === 0 ? [] : [{ at: 0, bytes: changed }];
    await fileSystem.replaceContent(id, { sizeBytes: changed.length, content: pieces });
    return changed;
  }
  if (roll === 1) {
    const changed = new Uint8Array(dice.below(30_000));
    changed.set(bytes.subarray(0, changed.length));
    await fileSystem.truncate(id, changed.length);
    return changed;
  }
  const [at, written] = [dice.below(20_000), dice.bytes(1 + dice.below(9000))];
  const changed = new Uint8Array(Math.max(bytes.length, at + written.length));
  changed.set(bytes);
  changed.set(written, at);
  await fileSystem.write(id, at, written);
  return changed;
}

export function directoryOf() {
  return { kind: "directory", mode: 0o755, uid: 0, gid: 0, modified, sizeBytes: 0 } as const;
}

export function fileOf(bytes: Uint8Array) {
  const pieces = bytes.length === 0 ? [] : [{ at: 0, bytes }];
  return { kind: "file", mode: 0o644, uid: 0, gid: 0, modified, sizeBytes: bytes.length, content: pieces } as const;
}
