import { Failure } from "../../base/index.ts";
import type { DataPiece, DeviceNumber, EntryKind, FileStretch } from "../../tree/index.ts";
import type { DirectoryItem, Extent, FileStat, FileSystem, FileSystemInfo, Problem } from "../file-system.ts";
import { limitProblems } from "../limit-problems.ts";
import type { Anchor } from "./anchor.ts";
import { checkUdf } from "./check.ts";
import { directoryNames } from "./directory-reader.ts";
import { contentStretches, readContent } from "./extents.ts";
import { kindOf, readEntry, type UdfFile } from "./file-entry.ts";
import { attribute, attributeHeader, deviceAttribute, deviceAttributeType } from "./records.ts";
import { readTarget } from "./symlink.ts";
import { decodeTimestamp } from "./timestamp.ts";
import type { BlockAddress, UdfSource } from "./udf-source.ts";
import { usedExtents } from "./used-extents.ts";
import type { VolumeDescriptors } from "./volume-descriptors.ts";

/** Ids are the block of the file entry, and above its 32 bits the partition. */
const partitionFactor = 2 ** 32;

/** What was found when a volume was opened. */
export interface UdfVolume {
  readonly source: UdfSource;
  readonly anchor: Anchor;
  readonly descriptors: VolumeDescriptors;
  readonly root: BlockAddress;
}

/** A UDF volume, read-only. It borrows its reader and closes nothing. Named streams are left out. */
export class UdfFileSystem implements FileSystem {
  readonly info: FileSystemInfo;
  readonly rootId: number;
  readonly #source: UdfSource;
  readonly #anchor: Anchor;
  readonly #descriptors: VolumeDescriptors;

  constructor(volume: UdfVolume, info: FileSystemInfo) {
    this.#source = volume.source;
    this.#anchor = volume.anchor;
    this.#descriptors = volume.descriptors;
    this.rootId = idOf(volume.root);
    this.info = info;
  }

  async stat(id: number): Promise<FileStat> {
    const file = await this.#file(id);
    const { sizeBytes, recordedBlocks, links, modified, accessed, changed, created } = file;
    const kind = kindOf(file);
    const device = deviceOf(file, kind);
    return {
      id,
      kind,
      mode: modeOf(file),
      uid: ownerOf(file.uid),
      gid: ownerOf(file.gid),
      sizeBytes: kind === "symlink" ? Buffer.byteLength(await this.readLink(id)) : sizeBytes,
      allocatedBytes: recordedBlocks * this.#source.blockSizeBytes,
      links,
      modified: decodeTimestamp(modified),
      accessed: decodeTimestamp(accessed),
      changed: decodeTimestamp(changed),
      ...(created === undefined ? {} : { created: decodeTimestamp(created) }),
      ...(device === undefined ? {} : { device }),
    };
  }

  async *list(id: number): AsyncGenerator<readonly DirectoryItem[]> {
    const file = await this.#fileOf(id, "directory", "list");
    for await (const names of directoryNames(this.#source, file)) {
      yield names.map(({ name, address }) => ({ name, id: idOf(address) }));
    }
  }

  async find(id: number, name: string): Promise<number | undefined> {
    for await (const items of this.list(id)) {
      const item = items.find((one) => one.name === name);
      if (item !== undefined) return item.id;
    }
    return undefined;
  }

  async readLink(id: number): Promise<string> {
    return readTarget(this.#source, await this.#fileOf(id, "symlink", "follow"), whatIs(id));
  }

  async *content(id: number): AsyncGenerator<DataPiece> {
    yield* readContent(this.#source, await this.#fileOf(id, "file", "read"), whatIs(id));
  }

  async stretches(id: number): Promise<readonly FileStretch[]> {
    return contentStretches(this.#source, await this.#fileOf(id, "file", "read"), whatIs(id));
  }

  usedExtents(): AsyncIterable<Extent> {
    return usedExtents(this.#source, this.#descriptors, this.info.sizeBytes);
  }

  check(): AsyncIterable<Problem> {
    return limitProblems(checkUdf(this.#source, this.#anchor, addressOfId(this.rootId)));
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #file(id: number): Promise<UdfFile> {
    return readEntry(this.#source, addressOfId(id));
  }

  async #fileOf(id: number, kind: EntryKind, action: string): Promise<UdfFile> {
    const file = await this.#file(id);
    const found = kindOf(file);
    if (found === kind) return file;
    throw new Failure("failed", `cannot ${action} ${whatIs(id)}: it is a ${found}`);
  }
}

function idOf({ partition, block }: BlockAddress): number {
  return partition * partitionFactor + block;
}

function addressOfId(id: number): BlockAddress {
  return { partition: Math.floor(id / partitionFactor), block: id % partitionFactor };
}

function whatIs(id: number): string {
  const { partition, block } = addressOfId(id);
  return `the file in block ${block} of partition ${partition}`;
}

/** Bits of an entry's flags (ECMA-167 4/14.6.8). */
const flagSetUid = 0x40;
const flagSetGid = 0x80;
const flagSticky = 0x100;

/** Permissions are five bits for each of others, group and owner, of which three are those of Unix. */
function modeOf({ permissions, flags }: UdfFile): number {
  const classes = (permissions & 7) | (((permissions >>> 5) & 7) << 3) | (((permissions >>> 10) & 7) << 6);
  const setUid = (flags & flagSetUid) === 0 ? 0 : 0o4000;
  const setGid = (flags & flagSetGid) === 0 ? 0 : 0o2000;
  return classes | setUid | setGid | ((flags & flagSticky) === 0 ? 0 : 0o1000);
}

/** Nobody is the owner where none is told (UDF 2.60 §2.3.6.1): root, as on a disk without owners. */
function ownerOf(id: number): number {
  return id === 0xffffffff ? 0 : id;
}

function deviceOf({ attributes }: UdfFile, kind: EntryKind): DeviceNumber | undefined {
  if (kind !== "character" && kind !== "block") return undefined;
  for (let at = attributeHeader.sizeBytes; at + deviceAttribute.sizeBytes <= attributes.length;) {
    const { type, lengthBytes } = attribute.decode(attributes, at);
    if (type === deviceAttributeType) return deviceAttribute.decode(attributes, at);
    if (lengthBytes < attribute.sizeBytes) return undefined;
    at += lengthBytes;
  }
  return undefined;
}
