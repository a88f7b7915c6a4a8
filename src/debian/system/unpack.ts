import { createHash } from "node:crypto";
import { Failure } from "../../base/index.ts";
import { tarInMemory, type DebContents, type FileEntry, type TreeEntry } from "../../tree/index.ts";
import type { DebianPackage } from "../repository/index.ts";
import { parseStanza } from "../control/index.ts";
import { dependencyNames } from "./control-file.ts";
import type { Node, SystemTree } from "../system-tree.ts";
import type { UnpackedPackage } from "../unpacked-package.ts";

/** Where bookworm's packages still have `/bin` and their kin, all of which lie in `/usr` (no package before trixie ships these links). */
const mergedFolders = ["bin", "sbin", "lib"];

/** Begins a tree in which `/bin` and its kin lie in `/usr`. */
export function mergeUsr(tree: SystemTree, architecture: string): void {
  for (const name of architecture === "amd64" ? [...mergedFolders, "lib64"] : mergedFolders) {
    tree.makeDirectories(`/usr/${name}`);
    tree.symlink(`usr/${name}`, `/${name}`);
  }
}

/** Unpacks packages into the tree, as dpkg would in this order. */
export class Unpacker {
  readonly warnings: string[] = [];
  readonly #tree: SystemTree;
  /** Which package a file is of, by its path without links. */
  readonly #owners = new Map<string, UnpackedPackage>();
  readonly #folders = new Set<string>();

  constructor(tree: SystemTree) {
    this.#tree = tree;
  }

  async add(source: DebianPackage, { control, data }: DebContents): Promise<UnpackedPackage> {
    const controlFiles = new Map<string, Buffer>();
    for (const entry of await entriesOf(control, source.file)) {
      if (entry.kind === "file") controlFiles.set(entry.path, contentOf(entry));
    }
    const fields = parseStanza(controlFiles.get("control")?.toString() ?? "", source.file);
    const [name, version, architecture] = ["Package", "Version", "Architecture"].map((field) => fields.get(field));
    if (name === undefined || version === undefined || architecture === undefined) {
      throw new Failure("damaged", `cannot unpack "${source.file}": its control file names no package`);
    }
    const paths: string[] = [];
    const own = {
      name,
      version,
      architecture,
      fields,
      controlFiles,
      paths,
      infoName: fields.get("Multi-Arch") === "same" ? `${name}:${architecture}` : name,
      isConfigured: false,
    };
    const unpacked: UnpackedPackage = { ...own, conffiles: [] };
    for (const entry of await entriesOf(data, source.file)) {
      paths.push(entry.path === "" ? "/." : `/${entry.path}`);
      this.#addEntry(unpacked, entry);
    }
    return Object.assign(unpacked, { conffiles: this.#conffiles(controlFiles) });
  }

  /** The package that a file is of. */
  ownerOf(path: string): UnpackedPackage | undefined {
    return this.#owners.get(path);
  }

  #addEntry(unpacked: UnpackedPackage, entry: TreeEntry): void {
    const tree = this.#tree;
    const path = `/${entry.path}`;
    if (entry.kind === "directory") {
      const existing = tree.find(path);
      if (existing?.kind === "directory" && (entry.path !== "" || unpacked.name !== "base-files")) {
        if (this.#folders.has(tree.realPath(path))) return;
      }
      if (existing === undefined) tree.makeDirectories(path);
      this.#folders.add(tree.realPath(path));
      const { mode, uid, gid, modified } = entry;
      Object.assign(tree.get(path), { mode, uid, gid, modified });
      return;
    }
    const slash = path.lastIndexOf("/");
    const folder = path.slice(0, slash);
    if (tree.find(folder) === undefined) tree.makeDirectories(folder);
    const real = `${folder === "" ? "" : tree.realPath(folder).replace(/^\/$/, "")}${path.slice(slash)}`;
    const existing = tree.find(real, false);
    if (entry.kind === "symlink" && existing?.kind === "symlink" && existing.target === entry.linkTarget) return;
    const owner = this.#owners.get(real);
    if (owner !== undefined && owner !== unpacked) {
      if (replaces(owner, unpacked.name)) return;
      if (!replaces(unpacked, owner.name)) {
        this.warnings.push(`"${path}" of ${unpacked.name} replaces the one of ${owner.name}, which does not allow it`);
      }
    }
    if (existing?.kind === "directory") {
      throw new Failure("failed", `cannot unpack ${unpacked.name}: "${path}" is a directory already`);
    }
    this.#owners.set(real, unpacked);
    if (entry.kind === "hardlink") return tree.hardLink(`/${entry.linkTarget}`, real);
    tree.put(real, nodeOf(entry));
  }

  #conffiles(controlFiles: ReadonlyMap<string, Buffer>): UnpackedPackage["conffiles"] {
    const lines = (controlFiles.get("conffiles")?.toString() ?? "").split("\n");
    return lines.flatMap((path) => {
      if (!path.startsWith("/")) return []; // empty, or "remove-on-upgrade"
      const node = this.#tree.find(path);
      const md5 = node?.kind === "file" ? createHash("md5").update(node.content).digest("hex") : "newconffile";
      return [{ path, md5 }];
    });
  }
}

function replaces(one: UnpackedPackage, other: string): boolean {
  return dependencyNames(one.fields.get("Replaces")).flat().includes(other);
}

async function entriesOf(tar: Uint8Array, name: string): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  await using source = await tarInMemory(tar, name);
  for await (const batch of source.entries()) entries.push(...batch);
  return entries;
}

/** In a tar that is whole in memory every content is one piece of it. */
function contentOf({ content, sizeBytes, path }: FileEntry): Buffer {
  if (content === undefined) return Buffer.alloc(sizeBytes);
  if (!Array.isArray(content)) throw new TypeError(`the content of ${path} is not in memory`);
  const [only] = content as readonly { readonly bytes: Uint8Array }[];
  if (content.length === 1 && only?.bytes.length === sizeBytes) {
    return Buffer.from(only.bytes.buffer, only.bytes.byteOffset, sizeBytes);
  }
  const whole = Buffer.alloc(sizeBytes);
  for (const { at, bytes } of content) whole.set(bytes, at);
  return whole;
}

function nodeOf(entry: FileEntry): Node {
  const { mode, uid, gid, modified, xattrs } = entry;
  const base = { mode, uid, gid, modified, xattrs };
  switch (entry.kind) {
    case "file":
      return { kind: "file", content: contentOf(entry), ...base };
    case "symlink":
      return { kind: "symlink", target: entry.linkTarget ?? "", ...base };
    case "directory":
      return { kind: "directory", children: new Map(), ...base };
    default:
      return { kind: entry.kind, device: entry.device, ...base };
  }
}
