import { Failure } from "../../base/index.ts";
import type { BlockReader } from "../../device/index.ts";
import { damaged } from "../damaged.ts";
import { checksumKinds, isSealed, type ChecksumKind } from "./checksums.ts";
import { mapInChunk, type ChunkMap } from "./chunk-map.ts";
import { keyText } from "./key.ts";
import { TreeNode, type NodePlace } from "./node.ts";
import { nodeHeader } from "./records.ts";
import type { Superblock } from "./superblock.ts";

/** Of one half. */
const cacheBytes = 16 * 2 ** 20;
/** Of what must be known to read it: the UUID in nodes is another one. */
const metadataUuidBit = 0x400n;

/** A copy of a node that is not as it should be. */
export interface BadCopy {
  readonly logical: number;
  readonly copy: number;
  readonly at: number;
  readonly why: string;
}

/** What all that reads from one btrfs has in hand. */
export class BtrfsSource {
  readonly reader: BlockReader;
  readonly superblock: Superblock;
  readonly checksum: ChecksumKind;
  readonly chunks: ChunkMap;
  readonly nodeBytes: number;
  readonly sectorBytes: number;
  readonly #nodesUuid: string;
  readonly #nodeLimit: number;
  /** Nodes used lately, and those before them: forgetting half at a time is cheaper than keeping all in order. */
  #nodes = new Map<number, TreeNode>();
  #olderNodes = new Map<number, TreeNode>();

  constructor(reader: BlockReader, superblock: Superblock, chunks: ChunkMap) {
    this.reader = reader;
    this.superblock = superblock;
    this.chunks = chunks;
    this.checksum = checksumKinds[superblock.checksumType] as ChecksumKind; // others are refused before
    this.nodeBytes = superblock.nodeBytes;
    this.sectorBytes = superblock.sectorBytes;
    // The UUID of a file system can be changed without writing all its nodes anew: then they keep the one before.
    const isChanged = (superblock.incompatible & metadataUuidBit) !== 0n;
    this.#nodesUuid = isChanged ? superblock.metadataUuid : superblock.uuid;
    this.#nodeLimit = Math.max(64, Math.floor(cacheBytes / this.nodeBytes));
  }

  /** A node, by the first of its copies that is sound. Throws `damaged` where none is. */
  async node(place: NodePlace): Promise<TreeNode> {
    const kept = this.#nodes.get(place.logical) ?? this.#keepOn(place.logical);
    if (kept !== undefined) {
      const why = whyOther(kept, place);
      if (why !== undefined) throw damaged(whatIs(place), why);
      return kept;
    }
    let why = "none of its copies is on this device";
    for (const at of this.copiesOf(place.logical, this.nodeBytes)) {
      const read = await this.readCopy(place, at);
      if (typeof read === "string") {
        why = read;
        continue;
      }
      this.#keep(read);
      return read;
    }
    throw damaged(whatIs(place), why);
  }

  /** One copy of a node, or what is wrong with it. */
  async readCopy(place: NodePlace, at: number): Promise<TreeNode | string> {
    const bytes = new Uint8Array(this.nodeBytes);
    try {
      await this.reader.read(at, bytes);
      if (!isSealed(this.checksum, bytes)) return "its checksum does not match";
      if (nodeHeader.get(bytes, "uuid") !== this.#nodesUuid) return "it is of another file system";
      const node = new TreeNode(bytes);
      return whyOther(node, place) ?? node;
    } catch (error) {
      if (error instanceof Failure) return error.message;
      throw error;
    }
  }

  /** Where on this device the copies are of bytes that stand together in their chunk. */
  copiesOf(logical: number, lengthBytes: number): number[] {
    const chunk = this.chunks.at(logical);
    if (chunk === undefined) return [];
    const mapped = mapInChunk(chunk, logical - chunk.logical);
    if (mapped.lengthBytes < lengthBytes) return [];
    const { deviceId } = this.superblock;
    return mapped.places.filter((place) => place.deviceId === deviceId).map(({ at }) => at);
  }

  #keepOn(logical: number): TreeNode | undefined {
    const node = this.#olderNodes.get(logical);
    if (node !== undefined) this.#keep(node);
    return node;
  }

  #keep(node: TreeNode): void {
    if (this.#nodes.size >= this.#nodeLimit) {
      this.#olderNodes = this.#nodes;
      this.#nodes = new Map();
    }
    this.#nodes.set(node.logical, node);
  }
}

function whatIs({ logical }: NodePlace): string {
  return `the btrfs node ${logical}`;
}

/** How a node differs from the one that was to be there. */
function whyOther(node: TreeNode, { logical, level, generation, first }: NodePlace): string | undefined {
  if (node.logical !== logical) return `it is the node ${node.logical}`;
  if (node.level !== level) return `it is on level ${node.level}, not ${level}`;
  if (node.generation !== generation) return `it is of generation ${node.generation}, not ${generation}`;
  if (first === undefined) return undefined;
  if (node.count === 0 || node.compare(0, first) !== 0) return `it does not begin with ${keyText(first)}`;
  return undefined;
}
