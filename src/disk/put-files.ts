import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, stopIfAborted, systemReason } from "../base/index.ts";
import { putTree, resolvePath, type EditableFileSystem, type NamePlace } from "../filesystem/index.ts";
import { openChunks, openSource, standardInput, type DataPiece, type Metadata } from "../tree/index.ts";
import { destinationOf, directoryAt, makeDirectory, placeAt, type EditContext } from "./edit-places.ts";
import type { Edit } from "./edit.ts";
import { ownerFrom } from "./image-accounts.ts";

type Put = Extract<Edit, { readonly verb: "put" }>;
type Write = Extract<Edit, { readonly verb: "write" }>;

/** Puts files, folders and tars of this machine into an image. */
export async function putSources(context: EditContext, edit: Put): Promise<void> {
  const { fileSystem } = context;
  if (edit.makeParents) {
    const isInto = edit.unpack || edit.sources.length > 1 || edit.to.endsWith("/");
    await makeDirectory(context, isInto ? edit.to : path.posix.dirname(edit.to), { parents: true });
  }
  for (const source of edit.sources) {
    if (edit.unpack) {
      const directory = await directoryAt(fileSystem, edit.to);
      if (directory === undefined) throw new Failure("not-found", `cannot find the directory "${edit.to}"`);
      await putOpened(context, edit, source, edit.to);
      continue;
    }
    const ownName = source === standardInput ? "" : path.basename(path.resolve(source));
    const mustBeDirectory = edit.sources.length > 1;
    const place = await destinationOf(fileSystem, edit.to, ownName, { mustBeDirectory });
    if (place.name === "") {
      throw new Failure("usage", "cannot put standard input into a directory: it has no name", {
        hint: `write the name too, as in ${edit.to.replace(/\/$/, "")}/name`,
      });
    }
    if (source !== standardInput && statOf(source).isDirectory()) await putFolder(context, edit, source, place);
    else await putFile(context, edit, source, place);
  }
}

/** Gives a file this content, or adds it to its end. */
export async function writeContent({ fileSystem, now }: EditContext, edit: Write): Promise<void> {
  const place = await placeAt(fileSystem, edit.path);
  const existing = await fileSystem.find(place.directory, place.name);
  const content = edit.bytes.length === 0 ? [] : [{ at: 0, bytes: edit.bytes }];
  if (existing === undefined) {
    const owner = { uid: 0, gid: 0 };
    const sizeBytes = edit.bytes.length;
    await fileSystem.create(place, { kind: "file", mode: 0o644, ...owner, modified: now, sizeBytes, content });
    return;
  }
  const id = await resolvePath(fileSystem, edit.path);
  if (edit.isAppended) await fileSystem.write(id, (await fileSystem.stat(id)).sizeBytes, edit.bytes);
  else await fileSystem.replaceContent(id, { sizeBytes: edit.bytes.length, content });
}

async function putFolder(context: EditContext, edit: Put, source: string, place: NamePlace): Promise<void> {
  const { fileSystem, now } = context;
  if ((await fileSystem.find(place.directory, place.name)) === undefined) {
    const directory = { kind: "directory", mode: 0o755, uid: 0, gid: 0, modified: now, sizeBytes: 0 } as const;
    await fileSystem.create(place, directory);
  }
  const isInto = (await directoryAt(fileSystem, edit.to)) === place.directory;
  await putOpened(context, edit, source, isInto ? path.posix.join(edit.to, place.name) : edit.to);
}

/** Puts a tree's files into a directory that is there. A folder's own owners are not the image's, unless so wished. */
async function putOpened(context: EditContext, edit: Put, source: string, to: string): Promise<void> {
  await using tree = await openSource(source);
  const isFolder = source !== standardInput && statOf(source).isDirectory();
  const isKept = edit.preserve || (edit.owner === undefined && !isFolder);
  const owner = isKept ? {} : { owner: { uid: 0, gid: 0, ...(await givenOwner(context, edit)) } };
  await putTree(context.fileSystem, to, tree, { ...context.job, now: context.now, ...owner });
}

async function putFile(context: EditContext, edit: Put, source: string, place: NamePlace): Promise<void> {
  const { fileSystem } = context;
  const existing = await fileSystem.find(place.directory, place.name);
  if (existing !== undefined) await refuseOther(fileSystem, existing, place);
  const given = await givenOwner(context, edit);
  const stat = source === standardInput ? undefined : statOf(source);
  const metadata: Metadata = {
    mode: (stat?.mode ?? 0o644) & (edit.preserve ? 0o7777 : 0o777),
    uid: edit.preserve ? (stat?.uid ?? 0) : 0,
    gid: edit.preserve ? (stat?.gid ?? 0) : 0,
    ...given,
    modified: stat === undefined ? context.now : timeOf(stat),
  };
  const id = existing ?? (await fileSystem.create(place, { kind: "file", ...metadata, sizeBytes: 0 }));
  await fill(context, id, source);
  const mode = edit.mode?.(existing === undefined ? metadata.mode : (await fileSystem.stat(id)).mode, false);
  const isNew = existing === undefined || edit.preserve;
  await fileSystem.setMetadata(id, {
    ...(isNew ? metadata : given),
    ...(mode === undefined ? {} : { mode }),
  });
}

/** Content goes into a regular file, or takes the place of nothing. */
async function refuseOther(fileSystem: EditableFileSystem, id: number, { name }: NamePlace): Promise<void> {
  const { kind } = await fileSystem.stat(id);
  if (kind === "file") return;
  throw new Failure("exists", `cannot put "${name}": there is a ${kind} of that name`, { hint: "remove it first" });
}

/** Streams the content of a file, or standard input, into a file of the image. */
async function fill({ fileSystem, job }: EditContext, id: number, source: string): Promise<void> {
  await using input = await openChunks(source);
  const { sizeBytes } = input;
  if (sizeBytes === undefined) {
    await fileSystem.truncate(id, 0);
    let at = 0;
    for await (const bytes of input.chunks) {
      stopIfAborted(job.signal);
      await fileSystem.write(id, at, bytes);
      at += bytes.length;
      job.onProgress?.({ phase: "putting", doneBytes: at });
    }
    return;
  }
  const pieces = async function* (): AsyncGenerator<DataPiece> {
    let at = 0;
    for await (const bytes of input.chunks) {
      stopIfAborted(job.signal);
      yield { at, bytes };
      at += bytes.length;
      job.onProgress?.({ phase: "putting", doneBytes: at, totalBytes: sizeBytes });
    }
    if (at !== sizeBytes) {
      throw new Failure("failed", `cannot read "${source}": it changed while it was read`);
    }
  };
  await fileSystem.replaceContent(id, { sizeBytes, content: pieces() });
}

async function givenOwner(context: EditContext, { owner }: Put): Promise<{ uid?: number; gid?: number }> {
  return owner === undefined ? {} : ownerFrom(context.fileSystem, owner);
}

function statOf(source: string): fs.Stats {
  try {
    return fs.statSync(source);
  } catch (error) {
    throw new Failure("not-found", `cannot read "${source}": ${systemReason(error)}`, { cause: error });
  }
}

function timeOf({ mtimeMs }: fs.Stats): Metadata["modified"] {
  const seconds = Math.floor(mtimeMs / 1000);
  return { seconds, nanoseconds: Math.floor((mtimeMs - seconds * 1000) * 1e6) };
}
