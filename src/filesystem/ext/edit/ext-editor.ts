import { Failure } from "../../../base/index.ts";
import { encodeName, printableName } from "../../../bytes/index.ts";
import type { DataPiece, EntryKind, FileStretch, Metadata, Timestamp } from "../../../tree/index.ts";
import type {
  EditableFileSystem,
  EditOptions,
  MetadataChange,
  NamePlace,
  NewContent,
  NewFile,
} from "../../editable-file-system.ts";
import type { DirectoryItem, Extent, FileStat, FileSystemInfo, Problem } from "../../file-system.ts";
import { readAttributes } from "../attribute-reader.ts";
import type { Committer } from "../commit.ts";
import { isDotName } from "../directory-block.ts";
import type { ExtFileSystem } from "../ext-file-system.ts";
import { openExt } from "../open.ts";
import type { ExtInode } from "../ext-inode.ts";
import { encodeDeviceNumber, extraSizeOf as newExtraSizeOf } from "../inode-encoder.ts";
import { directoryTypeOfKind, inodeBase, inodeBaseBytes, inodeMode } from "../inode.ts";
import { hasFlag, inodeBytes } from "../inode-reader.ts";
import { syncAccessControlList } from "../access-control-list.ts";
import { AttributeStore } from "./attribute-store.ts";
import { DirectoryStore, refuseBadName } from "./directory-store.ts";
import type { EditVolume } from "./edit-volume.ts";
import { FileMap } from "./file-map.ts";
import { FileRemover } from "./file-remover.ts";
import { FileStore } from "./file-store.ts";
import { InodeStore, setTime, type InodePatch } from "./inode-store.ts";
import type { FoundName } from "./open-directory.ts";
import { linkLimit, notEmpty, refuseLocked, refuseMoreLinks } from "./refusals.ts";

const shortLinkBytes = 60;
const zeros = new Uint8Array(64 * 1024);

/** An ext2, ext3 or ext4 file system open for changes. It borrows its device. */
export class ExtEditor implements EditableFileSystem {
  readonly rootId: number;
  readonly #reading: ExtFileSystem;
  readonly #volume: EditVolume;
  readonly #inodes: InodeStore;
  readonly #directories: DirectoryStore;
  readonly #attributes: AttributeStore;
  readonly #files: FileStore;
  readonly #remover: FileRemover;
  readonly #committer: Committer;
  readonly #options: EditOptions;
  /** Why nothing can be committed any more. */
  #broken: unknown;

  constructor(reading: ExtFileSystem, volume: EditVolume, committer: Committer, options: EditOptions) {
    this.#reading = reading;
    this.rootId = reading.rootId;
    this.#volume = volume;
    this.#committer = committer;
    this.#options = options;
    this.#inodes = new InodeStore(volume);
    this.#attributes = new AttributeStore(volume, this.#inodes);
    this.#directories = new DirectoryStore(volume, this.#inodes, this.#attributes);
    this.#files = new FileStore(volume, this.#inodes, this.#attributes);
    this.#remover = new FileRemover(volume, this.#inodes, this.#attributes);
  }

  get info(): FileSystemInfo {
    return { ...this.#reading.info, freeBytes: this.#volume.freeBlocks * this.#volume.blockSizeBytes };
  }

  stat(id: number): Promise<FileStat> {
    return this.#reading.stat(id);
  }

  list(id: number): AsyncIterable<readonly DirectoryItem[]> {
    return this.#reading.list(id);
  }

  async find(id: number, name: string): Promise<number | undefined> {
    const inode = await this.#inodes.read(id);
    if (inode.kind !== "directory" || isSpecial(inode)) return this.#reading.find(id, name);
    const bytes = encodeName(name);
    if (bytes.length === 0 || isDotName(bytes)) return undefined;
    return (await this.#directories.find(id, bytes))?.inode;
  }

  readLink(id: number): Promise<string> {
    return this.#reading.readLink(id);
  }

  content(id: number): AsyncIterable<DataPiece> {
    return this.#reading.content(id);
  }

  stretches(id: number): Promise<readonly FileStretch[]> {
    return this.#reading.stretches(id);
  }

  async *usedExtents(): AsyncGenerator<Extent> {
    await this.#volume.prepare();
    yield* this.#reading.usedExtents();
  }

  async *check(): AsyncGenerator<Problem> {
    await this.#volume.prepare();
    await this.#committer.seal();
    const asItWillBe = await openExt(this.#volume.source.reader);
    yield* asItWillBe.check();
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  create(place: NamePlace, file: NewFile): Promise<number> {
    return this.#changing(async (begin) => {
      const name = refuseBadName(place.name);
      await this.#refuseTaken(place, name);
      const parent = await this.#inodes.read(place.directory);
      if (file.kind === "directory") refuseMoreLinks(this.#volume, parent);
      this.#refuseImpossible(file, place.name);
      begin();
      const id = await this.#volume.takeInode(place.directory, file.kind === "directory");
      await this.#fillNew(id, place, file);
      await this.#directories.add(place.directory, { name, inode: id, fileType: this.#typeOf(file.kind) });
      await this.#touchDirectory(place.directory, file.kind === "directory" ? 1 : 0);
      return id;
    });
  }

  link(place: NamePlace, id: number): Promise<void> {
    return this.#changing(async (begin) => {
      const name = refuseBadName(place.name);
      const inode = await this.#inodes.read(id);
      if (inode.kind === "directory") {
        throw new Failure("failed", `cannot link "${printableName(place.name)}": a directory has one name only`);
      }
      refuseLocked(inode);
      refuseMoreLinks(this.#volume, inode);
      await this.#refuseTaken(place, name);
      begin();
      await this.#inodes.change(id, this.#linkChange(1));
      await this.#directories.add(place.directory, { name, inode: id, fileType: this.#typeOf(inode.kind) });
      await this.#touchDirectory(place.directory, 0);
    });
  }

  remove(place: NamePlace): Promise<void> {
    return this.#changing(async (begin) => {
      const { found, inode } = await this.#existing(place);
      await this.#refuseUndeletable(inode, place.name);
      begin();
      await this.#directories.remove(place.directory, found);
      await this.#drop(inode);
      await this.#touchDirectory(place.directory, inode.kind === "directory" ? -1 : 0);
    });
  }

  rename(from: NamePlace, to: NamePlace): Promise<void> {
    return this.#changing(async (begin) => {
      const name = refuseBadName(to.name);
      const { inode } = await this.#existing(from);
      await this.#prepareDirectory(to.directory);
      const target = await this.#directories.find(to.directory, name);
      if (target?.inode === inode.id) return; // two names of one file: nothing to do, as rename(2) has it
      const replaced = target === undefined ? undefined : await this.#inodes.read(target.inode);
      if (replaced !== undefined) await this.#refuseReplacing(inode, replaced, to.name);
      const isMovedDirectory = inode.kind === "directory" && from.directory !== to.directory;
      if (isMovedDirectory) {
        await this.#refuseOwnChild(inode.id, to);
        if (replaced === undefined) refuseMoreLinks(this.#volume, await this.#inodes.read(to.directory));
      }
      begin();
      const record = { inode: inode.id, fileType: this.#typeOf(inode.kind) };
      if (target === undefined) await this.#directories.add(to.directory, { name, ...record });
      else await this.#directories.redirect(to.directory, target, record);
      const old = await this.#directories.find(from.directory, encodeName(from.name));
      if (old !== undefined) await this.#directories.remove(from.directory, old);
      if (isMovedDirectory) await this.#directories.setParent(inode.id, to.directory);
      if (replaced !== undefined) await this.#drop(replaced);
      await this.#inodes.change(inode.id, (bytes) => setTime(bytes, "changed", this.#now));
      const gone = replaced?.kind === "directory" ? 1 : 0;
      const moved = isMovedDirectory ? 1 : 0;
      await this.#touchDirectory(from.directory, from.directory === to.directory ? -gone : -moved);
      if (from.directory !== to.directory) await this.#touchDirectory(to.directory, moved - gone);
    });
  }

  replaceContent(id: number, content: NewContent): Promise<void> {
    return this.#changing(async (begin) => {
      const inode = await this.#regularFile(id);
      this.#files.refuseTooLarge(content.sizeBytes, `inode ${id}`);
      begin();
      await this.#files.replace(inode, content);
    });
  }

  write(id: number, at: number, bytes: Uint8Array): Promise<void> {
    return this.#changing(async (begin) => {
      const inode = await this.#regularFile(id);
      this.#files.refuseTooLarge(at + bytes.length, `inode ${id}`);
      begin();
      await this.#files.write(inode, at, bytes);
    });
  }

  truncate(id: number, sizeBytes: number): Promise<void> {
    return this.#changing(async (begin) => {
      const inode = await this.#regularFile(id);
      this.#files.refuseTooLarge(sizeBytes, `inode ${id}`);
      begin();
      await this.#files.truncate(inode, sizeBytes);
    });
  }

  setMetadata(id: number, change: MetadataChange): Promise<void> {
    return this.#changing(async (begin) => {
      const inode = await this.#inodes.read(id);
      refuseLocked(inode);
      const xattrs = await this.#changedAttributes(inode, change);
      if (xattrs !== undefined) await this.#attributes.refuseUntouchable(inode);
      begin();
      if (xattrs !== undefined && hasFlag(inode, "inlineData")) await this.#takeOutOfInode(inode);
      if (xattrs !== undefined) await this.#attributes.replace(await this.#inodes.read(id), xattrs);
      await this.#inodes.change(id, (bytes) => {
        if (change.mode !== undefined) inodeBase.patch(bytes, { mode: inodeMode(inode.kind, change.mode) });
        if (change.uid !== undefined) {
          inodeBase.patch(bytes, { uidLow: change.uid % 0x10000, uidHigh: Math.floor(change.uid / 0x10000) });
        }
        if (change.gid !== undefined) {
          inodeBase.patch(bytes, { gidLow: change.gid % 0x10000, gidHigh: Math.floor(change.gid / 0x10000) });
        }
        if (change.modified !== undefined) setTime(bytes, "modified", change.modified);
        if (change.accessed !== undefined) setTime(bytes, "accessed", change.accessed);
        if (change.created !== undefined) setTime(bytes, "created", change.created);
        setTime(bytes, "changed", this.#now);
      });
    });
  }

  keepable(change: MetadataChange): MetadataChange {
    return change;
  }

  async commit(): Promise<void> {
    this.#refuseBroken();
    try {
      await this.#volume.prepare();
      await this.#committer.commit(this.#now);
    } catch (error) {
      this.#broken = error;
      throw error;
    }
  }

  get #now(): Timestamp {
    return this.#options.now;
  }

  /** What fails before `begin` has changed nothing; what fails after it leaves the transaction half done. */
  async #changing<T>(change: (begin: () => void) => Promise<T>): Promise<T> {
    this.#refuseBroken();
    let isBegun = false;
    try {
      return await change(() => (isBegun = true));
    } catch (error) {
      if (isBegun) this.#broken = error;
      throw error;
    }
  }

  #refuseBroken(): void {
    if (this.#broken === undefined) return;
    throw new Failure("failed", "cannot make the changes: one of them has failed, so none is made", {
      cause: this.#broken,
    });
  }

  /** A directory that can be changed, its names in blocks. */
  async #prepareDirectory(id: number): Promise<ExtInode> {
    const inode = await this.#inodes.read(id);
    if (inode.kind !== "directory") throw new Failure("failed", `cannot change inode ${id}: it is a ${inode.kind}`);
    if (hasFlag(inode, "encrypted")) throw new Failure("unsupported", `cannot change directory ${id}: it is encrypted`);
    if (hasFlag(inode, "caseFolded")) {
      throw new Failure("unsupported", `cannot change directory ${id}: it takes upper and lower case for the same`);
    }
    refuseLocked(inode);
    if (hasFlag(inode, "inlineData")) await this.#directories.expand(inode);
    return this.#inodes.read(id);
  }

  async #refuseTaken(place: NamePlace, name: Uint8Array): Promise<void> {
    await this.#prepareDirectory(place.directory);
    if ((await this.#directories.find(place.directory, name)) === undefined) return;
    throw new Failure("exists", `cannot make "${printableName(place.name)}": there is something of that name`);
  }

  async #existing(place: NamePlace): Promise<{ readonly found: FoundName; readonly inode: ExtInode }> {
    const name = refuseBadName(place.name);
    await this.#prepareDirectory(place.directory);
    const found = await this.#directories.find(place.directory, name);
    if (found === undefined) throw new Failure("not-found", `cannot find "${printableName(place.name)}"`);
    return { found, inode: await this.#inodes.read(found.inode) };
  }

  async #regularFile(id: number): Promise<ExtInode> {
    const inode = await this.#inodes.read(id);
    if (inode.kind !== "file") throw new Failure("failed", `cannot write inode ${id}: it is a ${inode.kind}`);
    for (const flag of ["encrypted", "verity", "compressed"] as const) {
      if (hasFlag(inode, flag)) throw new Failure("unsupported", `cannot write inode ${id}: it is marked ${flag}`);
    }
    refuseLocked(inode);
    if (hasFlag(inode, "inlineData")) await this.#attributes.refuseUntouchable(inode);
    return inode;
  }

  #refuseImpossible(file: NewFile, name: string): void {
    if (file.kind === "file") this.#files.refuseTooLarge(file.sizeBytes, `"${printableName(name)}"`);
    if (file.kind !== "symlink") return;
    const lengthBytes = encodeName(file.linkTarget ?? "").length;
    if (lengthBytes > 0 && lengthBytes < this.#volume.blockSizeBytes) return;
    throw new Failure("failed", `cannot make the link "${printableName(name)}": its target has ${lengthBytes} bytes`);
  }

  async #refuseUndeletable(inode: ExtInode, name: string): Promise<void> {
    refuseLocked(inode);
    if (inode.kind !== "directory") return;
    const quoted = `"${printableName(name)}"`;
    if (hasFlag(inode, "encrypted") || hasFlag(inode, "caseFolded")) {
      for await (const items of this.#reading.list(inode.id)) {
        if (items.length > 0) throw notEmpty(quoted);
      }
      return;
    }
    await this.#prepareDirectory(inode.id);
    if (!(await this.#directories.isEmpty(inode.id))) throw notEmpty(quoted);
  }

  async #refuseReplacing(moved: ExtInode, replaced: ExtInode, name: string): Promise<void> {
    const quoted = `"${printableName(name)}"`;
    if (replaced.kind === "directory" && moved.kind !== "directory") {
      throw new Failure("exists", `cannot replace ${quoted}: it is a directory`);
    }
    if (replaced.kind !== "directory" && moved.kind === "directory") {
      throw new Failure("exists", `cannot replace ${quoted}: it is not a directory`);
    }
    await this.#refuseUndeletable(replaced, name);
  }

  /** A directory does not go into itself, nor below itself. */
  async #refuseOwnChild(id: number, to: NamePlace): Promise<void> {
    const seen = new Set<number>();
    for (let above = to.directory; !seen.has(above); above = await this.#parentOf(above)) {
      if (above === id)
        throw new Failure("failed", `cannot move a directory into itself, as "${printableName(to.name)}"`);
      seen.add(above);
    }
  }

  async #parentOf(id: number): Promise<number> {
    await this.#prepareDirectory(id);
    return this.#directories.parentOf(id);
  }

  #typeOf(kind: EntryKind): number {
    return this.#volume.has("filetype") ? directoryTypeOfKind[kind] : 0;
  }

  /** Counts a link more or less; a directory with too many to count has one. */
  #linkChange(change: number): InodePatch {
    return (bytes) => {
      const before = inodeBase.get(bytes, "linkCount");
      const isDirectory = (inodeBase.get(bytes, "mode") & 0xf000) === 0x4000;
      const isUncounted = isDirectory && before === 1;
      const after = isUncounted ? 1 : before + change;
      inodeBase.patch(bytes, { linkCount: isDirectory && after >= linkLimit ? 1 : Math.max(0, after) });
      setTime(bytes, "changed", this.#now);
    };
  }

  async #touchDirectory(id: number, linkChange: number): Promise<void> {
    const changeLinks = this.#linkChange(linkChange);
    await this.#inodes.change(id, (bytes) => {
      if (linkChange !== 0) changeLinks(bytes);
      setTime(bytes, "modified", this.#now);
      setTime(bytes, "changed", this.#now);
    });
  }

  /** Lets go of one name of a file, and with the last one of the file. */
  async #drop(inode: ExtInode): Promise<void> {
    if (inode.kind !== "directory" && inode.links > 1) {
      await this.#inodes.change(inode.id, this.#linkChange(-1), "deletion");
      return;
    }
    await this.#remover.remove(inode);
    this.#directories.forget(inode.id);
  }

  async #fillNew(id: number, place: NamePlace, file: NewFile): Promise<void> {
    const { inodeSizeBytes } = this.#volume.layout;
    const extraSize = newExtraSizeOf(inodeSizeBytes);
    const inInodeBytes = Math.max(0, inodeSizeBytes - inodeBaseBytes - extraSize);
    const goal = this.#volume.goalOf(id);
    const attributes = await this.#attributes.store(file.xattrs, { inInodeBytes, goal });
    for (const name of attributes.refused) {
      this.#options.onWarning?.(
        `the attribute ${name} of "${printableName(place.name)}" was left out: ext cannot hold it`,
      );
    }
    const generation = (inodeBase.get(await inodeBytes(this.#volume.source, id), "generation") + 1) >>> 0;
    const body = await this.#newBody({ id, generation }, place, file);
    await this.#inodes.fill(id, {
      kind: file.kind,
      metadata: { ...(file satisfies Metadata), changed: this.#now },
      links: file.kind === "directory" ? 2 : 1,
      sizeBytes: body.sizeBytes,
      flags: body.flags,
      block: body.block,
      blockCount: body.blockCount + (attributes.block === 0 ? 0 : 1),
      attributeBlock: attributes.block,
      inInodeAttributes: attributes.inInode,
    });
  }

  async #newBody(owner: { id: number; generation: number }, place: NamePlace, file: NewFile): Promise<NewBody> {
    const map = FileMap.empty(this.#volume, owner);
    const { blockSizeBytes } = this.#volume;
    let sizeBytes = 0;
    switch (file.kind) {
      case "file":
        sizeBytes = file.sizeBytes;
        await this.#files.writeContent(map, file, printableName(place.name));
        break;
      case "directory": {
        sizeBytes = blockSizeBytes;
        const block = await this.#volume.takeBlock(this.#volume.goalOf(owner.id));
        this.#volume.transaction.freshBlock(block).set(this.#directories.layOut(owner, place.directory, []));
        map.put(0, { start: block, length: 1 });
        break;
      }
      case "symlink": {
        const target = encodeName(file.linkTarget ?? "");
        if (target.length < shortLinkBytes) return shortBody(target);
        sizeBytes = target.length;
        await this.#files.writeContent(
          map,
          { sizeBytes, content: [{ at: 0, bytes: target }] },
          printableName(place.name),
        );
        break;
      }
      default:
        return {
          ...shortBody(file.device === undefined ? zeros.subarray(0, 0) : encodeDeviceNumber(file.device)),
          sizeBytes: 0,
        };
    }
    const { block, blockCount, flag } = await map.store();
    return { block, blockCount, flags: flag, sizeBytes };
  }

  /** Content and names that stand in an inode take the room of attributes there. */
  async #takeOutOfInode(inode: ExtInode): Promise<void> {
    if (inode.kind === "directory") await this.#directories.expand(inode);
    else if (inode.kind === "file") await this.#files.truncate(inode, inode.sizeBytes);
  }

  /** All attributes as they are to be, where anything about them changes: an ACL follows the mode. */
  async #changedAttributes(
    inode: ExtInode,
    change: MetadataChange,
  ): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
    if (change.xattrs !== undefined || change.mode === undefined) return change.xattrs;
    const xattrs = await readAttributes(this.#volume.source, inode);
    const list = xattrs?.get(accessListName);
    if (list === undefined) return undefined;
    return new Map([...(xattrs ?? []), [accessListName, syncAccessControlList(list, change.mode)]]);
  }
}

interface NewBody {
  readonly block: Uint8Array;
  readonly flags: number;
  readonly blockCount: number;
  readonly sizeBytes: number;
}

const accessListName = "system.posix_acl_access";

/** What stands in the inode itself: a short target of a link, a device number. */
function shortBody(bytes: Uint8Array): NewBody {
  const block = new Uint8Array(60);
  block.set(bytes);
  return { block, flags: 0, blockCount: 0, sizeBytes: bytes.length };
}

/** Whether the names of a directory cannot be reached by their bytes alone. */
function isSpecial(inode: ExtInode): boolean {
  return hasFlag(inode, "inlineData") || hasFlag(inode, "encrypted") || hasFlag(inode, "caseFolded");
}
