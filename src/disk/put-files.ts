import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, stopIfAborted, systemReason } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import { putTree, type FileStat, type MetadataChange } from "../filesystem/index.ts";
import { openChunks, openFile, openSource, standardInput, type FileEntry, type TreeSource } from "../tree/index.ts";
import type { PutEdit } from "./edit.ts";
import { destinationOf, directoryAt, GivenNames, type Destination, type EditContext } from "./edit-places.ts";
import { ownerFrom } from "./image-accounts.ts";
import { makeDirectory } from "./make-directory.ts";
import { changedTree } from "./changed-tree.ts";
import { writeStream } from "./write-content.ts";

const permissionBits = 0o777;
/** What a directory keeps that belongs to somebody else now: a set-id bit would speak of the former owner. */
const directoryBits = 0o1777;

/** Puts files, folders and tars of this machine into an image. */
export async function putFiles(context: EditContext, edit: PutEdit): Promise<void> {
  const put = new Putter(
    context,
    edit,
    edit.owner === undefined ? {} : await ownerFrom(context.fileSystem, edit.owner),
  );
  const { sources, to } = edit;
  if (sources.filter((source) => source === standardInput).length > 1) {
    throw new Failure("usage", "cannot put standard input twice: it can be read only once");
  }
  const isInto = edit.unpack || sources.length > 1 || to.endsWith("/");
  if (edit.makeParents) {
    await makeDirectory(context, isInto ? to : path.posix.dirname(`/${to}`), { parents: true });
  }
  if (edit.unpack) return put.unpack(to);
  const given = new GivenNames();
  for (const source of sources) {
    const place = await destinationOf(context.fileSystem, to, ownNameOf(source), { mustBeDirectory: isInto });
    if (place.name !== "") given.add(place, source);
    else if (source === standardInput) throw nameless(to);
    await put.one(source, place);
  }
}

/** What comes into a directory under its own name. `folder/.` has none: what is in it comes, as with cp. */
function ownNameOf(source: string): string {
  if (source === standardInput || /(^|\/)\.{1,2}\/*$/.test(source)) return "";
  return path.basename(path.resolve(source));
}

function nameless(to: string): Failure {
  return new Failure("usage", "cannot put standard input into a directory: it has no name", {
    hint: `write the name too, as in ${printableName(to.replace(/\/+$/, ""))}/name`,
  });
}

class Putter {
  readonly #context: EditContext;
  readonly #edit: PutEdit;
  readonly #owner: { readonly uid?: number; readonly gid?: number };

  constructor(context: EditContext, edit: PutEdit, owner: { readonly uid?: number; readonly gid?: number }) {
    this.#context = context;
    this.#edit = edit;
    this.#owner = owner;
  }

  /** What is in folders, tars and packages goes into a directory. A tar's owners and modes are what it is for. */
  async unpack(to: string): Promise<void> {
    const { fileSystem, image, job, now } = this.#context;
    if ((await directoryAt(fileSystem, to)) === undefined) {
      throw new Failure("not-found", `cannot find the directory "${printableName(to)}"`, {
        hint: "--mkdir makes it",
      });
    }
    for (const source of this.#edit.sources) {
      const isFolder = source !== standardInput && statOf(source).isDirectory();
      const isKept = this.#edit.preserve || (!isFolder && this.#edit.owner === undefined);
      await using tree = await openSource(source, { leaveOut: [image] });
      const changed = this.#changed(tree, "", isKept);
      await putTree(fileSystem, to, [changed], { ...job, now, onExisting: "replace" });
    }
  }

  /** A file, a folder with all below it, or standard input, under a name. */
  async one(source: string, place: Destination): Promise<void> {
    const { fileSystem, image, job, now } = this.#context;
    const stat = source === standardInput ? undefined : statOf(source);
    if (stat === undefined || (!stat.isDirectory() && !stat.isFile())) return this.#stream(source, place);
    if (stat.isFile() && isSameFile(stat, statOf(image))) {
      throw new Failure("usage", `cannot put "${source}" into itself`);
    }
    await using tree = stat.isFile() ? openFile(source) : await openSource(source, { leaveOut: [image] });
    const changed = this.#changed(tree, place.name, this.#edit.preserve);
    await putTree(fileSystem, place.directoryPath, [changed], {
      ...job,
      now,
      onExisting: (entry, existing) => this.#ofExisting(entry, existing),
    });
  }

  /** Standard input, or a pipe: how much comes is known at its end. */
  async #stream(source: string, place: Destination): Promise<void> {
    const { fileSystem, isRehearsal, job, now } = this.#context;
    const entry = {
      ...this.#owned({ path: "", kind: "file", mode: 0o644, uid: 0, gid: 0, modified: now, sizeBytes: 0 }, false),
    };
    const empty: TreeSource = {
      name: source,
      async *entries() {
        yield [{ ...entry, path: place.name }];
      },
      async [Symbol.asyncDispose]() {},
    };
    await putTree(fileSystem, place.directoryPath, [empty], {
      now,
      onExisting: (_, existing) => this.#ofExisting(entry, existing),
    });
    if (isRehearsal) return;
    await using input = await openChunks(source);
    await writeStream(this.#context, `${place.directoryPath}/${place.name}`, input.chunks, job);
  }

  /** A tree as it comes into the image: under a name, with other owners. */
  #changed(tree: TreeSource, name: string, isKept: boolean): TreeSource {
    const { isRehearsal, job } = this.#context;
    return changedTree(tree, {
      under: name,
      change: (entry) => {
        stopIfAborted(job.signal);
        const owned = this.#owned(entry, isKept);
        return isRehearsal ? withoutContent(owned) : owned;
      },
    });
  }

  #owned(entry: FileEntry, isKept: boolean): FileEntry {
    const { mode: wishedMode } = this.#edit;
    const isDirectory = entry.kind === "directory";
    const mode = isKept ? entry.mode : entry.mode & (isDirectory ? directoryBits : permissionBits);
    const { xattrs, ...rest } = entry;
    return {
      ...rest,
      ...(isKept && xattrs !== undefined ? { xattrs } : {}),
      ...(isKept ? {} : { uid: 0, gid: 0 }),
      ...this.#owner,
      mode: wishedMode === undefined || entry.kind === "symlink" ? mode : wishedMode.apply(mode, isDirectory),
    };
  }

  /** One that is there already stays as it is, but for what was asked for. */
  #ofExisting(entry: FileEntry, existing: FileStat): MetadataChange {
    const { mode: wishedMode, preserve } = this.#edit;
    if (preserve) {
      const { mode, uid, gid, modified, xattrs } = entry;
      return { mode, uid, gid, modified, ...(xattrs === undefined ? {} : { xattrs }) };
    }
    const isDirectory = existing.kind === "directory";
    return {
      ...this.#owner,
      ...(wishedMode === undefined ? {} : { mode: wishedMode.apply(existing.mode, isDirectory) }),
    };
  }
}

function withoutContent(entry: FileEntry): FileEntry {
  const { content: _, stretches: __, ...rest } = entry;
  return rest;
}

function isSameFile(one: fs.Stats, other: fs.Stats): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

function statOf(source: string): fs.Stats {
  try {
    return fs.statSync(source);
  } catch (error) {
    throw new Failure("not-found", `cannot read "${source}": ${systemReason(error)}`, { cause: error });
  }
}
