import type { BlockDevice } from "../../device/index.ts";
import type { CoalescingWriter } from "../coalescing-writer.ts";
import { hasChecksumHigh, inodeChecksum, inodeChecksumSeed } from "./checksum.ts";
import type { ExtGeometry } from "./geometry.ts";
import { inodeBase, inodeExtra, inodeBaseBytes } from "./inode.ts";

const chunkBytes = 64 * 1024;
const chunksHeld = 256;

interface Chunk {
  readonly at: number;
  readonly bytes: Uint8Array;
  isDirty: boolean;
}

/** A slot of the inode table that may be changed until the next call to the table. */
export interface InodeSlot {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/**
 * The inode tables of a new file system, filled in any order with a bounded part of them in memory. Inodes
 * past the limit are kept nowhere: their maker has counted them and will say so.
 */
export class InodeTableWriter {
  readonly #device: BlockDevice;
  readonly #out: CoalescingWriter;
  readonly #geometry: ExtGeometry;
  readonly #inodeSizeBytes: number;
  readonly #checksumSeed: number | undefined;
  readonly #chunks = new Map<number, Chunk>();
  readonly #written = new Set<number>();
  readonly #limit: number;
  readonly #nowhere: InodeSlot;

  constructor(
    device: BlockDevice,
    out: CoalescingWriter,
    geometry: ExtGeometry,
    options: { readonly inodeSizeBytes: number; readonly checksumSeed: number | undefined; readonly limit: number },
  ) {
    this.#device = device;
    this.#out = out;
    this.#geometry = geometry;
    this.#inodeSizeBytes = options.inodeSizeBytes;
    this.#checksumSeed = options.checksumSeed;
    this.#limit = options.limit;
    this.#nowhere = { bytes: new Uint8Array(options.inodeSizeBytes), at: 0 };
  }

  /** Changes one inode and renews its checksum. */
  async update(inode: number, change: (slot: InodeSlot) => void): Promise<void> {
    const slot = this.#heldSlot(inode) ?? (await this.#load(inode));
    change(slot);
    if (this.#checksumSeed !== undefined && slot !== this.#nowhere) this.#seal(slot, inode, this.#checksumSeed);
  }

  /** Makes one inode as if it had never been used. */
  async clear(inode: number): Promise<void> {
    const slot = this.#heldSlot(inode) ?? (await this.#load(inode));
    slot.bytes.fill(0, slot.at, slot.at + this.#inodeSizeBytes);
  }

  /** Hands everything to the writer. */
  async flush(): Promise<void> {
    const byPlace = [...this.#chunks.values()].toSorted((a, b) => a.at - b.at);
    for (const chunk of byPlace) await this.#write(chunk);
  }

  #heldSlot(inode: number): InodeSlot | undefined {
    if (inode > this.#limit) return this.#nowhere;
    const chunk = this.#chunks.get(this.#chunkKey(inode));
    if (chunk === undefined) return undefined;
    chunk.isDirty = true;
    return { bytes: chunk.bytes, at: this.#placeOf(inode) - chunk.at };
  }

  /** Chunks never cross the end of a group's table: tables are whole blocks, and chunks start with their table. */
  #chunkKey(inode: number): number {
    const index = inode - 1;
    const group = Math.floor(index / this.#geometry.inodesPerGroup);
    const inTable = (index % this.#geometry.inodesPerGroup) * this.#inodeSizeBytes;
    return group * 2 ** 20 + Math.floor(inTable / chunkBytes);
  }

  #placeOf(inode: number): number {
    const index = inode - 1;
    const group = Math.floor(index / this.#geometry.inodesPerGroup);
    const table = (this.#geometry.inodeTables[group] ?? 0) * this.#geometry.blockSizeBytes;
    return table + (index % this.#geometry.inodesPerGroup) * this.#inodeSizeBytes;
  }

  async #load(inode: number): Promise<InodeSlot> {
    const key = this.#chunkKey(inode);
    if (this.#chunks.size >= chunksHeld) await this.#evictOldest();
    const place = this.#placeOf(inode);
    const inTable = ((inode - 1) % this.#geometry.inodesPerGroup) * this.#inodeSizeBytes;
    const at = place - (inTable % chunkBytes);
    const tableBytes = this.#geometry.inodeTableBlocks * this.#geometry.blockSizeBytes;
    const length = Math.min(chunkBytes, tableBytes - (inTable - (inTable % chunkBytes)));
    const chunk: Chunk = { at, bytes: new Uint8Array(length), isDirty: true };
    if (this.#written.has(key)) {
      await this.#out.drain();
      await this.#device.read(at, chunk.bytes);
    }
    this.#chunks.set(key, chunk);
    return { bytes: chunk.bytes, at: place - at };
  }

  async #evictOldest(): Promise<void> {
    const oldest = this.#chunks.entries().next();
    if (oldest.done === true) return;
    const [key, chunk] = oldest.value;
    this.#chunks.delete(key);
    this.#written.add(key);
    await this.#write(chunk);
  }

  async #write(chunk: Chunk): Promise<void> {
    if (!chunk.isDirty) return;
    await this.#out.put(chunk.at, chunk.bytes);
    chunk.isDirty = false;
  }

  #seal(slot: InodeSlot, inode: number, checksumSeed: number): void {
    const generation = inodeBase.get(slot.bytes, "generation", slot.at);
    const seed = inodeChecksumSeed(checksumSeed, inode, generation);
    const checksum = inodeChecksum(slot.bytes, slot.at, this.#inodeSizeBytes, seed);
    inodeBase.patch(slot.bytes, { checksumLow: checksum & 0xffff }, slot.at);
    if (this.#inodeSizeBytes > inodeBaseBytes && hasChecksumHigh(slot.bytes, slot.at)) {
      inodeExtra.patch(slot.bytes, { checksumHigh: checksum >>> 16 }, slot.at + inodeBaseBytes);
    }
  }
}
