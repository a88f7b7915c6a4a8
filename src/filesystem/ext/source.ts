import type { BlockReader } from "../../device/index.ts";
import { ChunkCache } from "../chunk-cache.ts";
import { BufferPool } from "./buffer-pool.ts";
import { ContentCache } from "./content-cache.ts";
import { damaged } from "../damaged.ts";
import { DescriptorTable } from "./descriptor-table.ts";
import type { ExtInode } from "./ext-inode.ts";
import type { ExtLayout } from "./layout.ts";

/** Where structures are read from: these bytes of the device, which may be shared with others. */
export interface StructureReader {
  bytes(at: number, lengthBytes: number): Promise<Uint8Array>;
}

const structureChunk = { chunkBytes: 64 * 1024, chunkLimit: 128 }; // 8 MiB

/** What all that reads from one ext file system has in hand. */
export class ExtSource {
  readonly reader: BlockReader;
  readonly layout: ExtLayout;
  readonly notes: string[];
  /** Inode tables, directories, maps: all that is small and stands together. */
  readonly structures: StructureReader;
  /** The content of small files. Apart, so that it does not push the structures out. */
  readonly contents: ContentCache;
  readonly descriptors: DescriptorTable;
  /** Inodes that were decoded lately. */
  readonly inodes = new Map<number, ExtInode>();
  readonly buffers = new BufferPool();

  /** With `changing` structures come from there, and nothing is kept that could become outdated. */
  constructor(reader: BlockReader, layout: ExtLayout, notes: string[] = [], changing?: StructureReader) {
    this.reader = reader;
    this.layout = layout;
    this.notes = notes;
    this.structures = changing ?? new ChunkCache(reader, structureChunk);
    this.contents = new ContentCache(reader, { isChanging: changing !== undefined });
    this.descriptors = new DescriptorTable(layout, this.structures, () => {
      this.note("a group descriptor is broken; its copy is used");
    });
  }

  /** How many groups begin on the device: all, unless it is too short, be it cut or the superblock wrong. */
  get groupsOnDevice(): number {
    const { blockSizeBytes, blocksPerGroup, groupCount } = this.layout;
    return Math.min(groupCount, Math.ceil(this.reader.sizeBytes / blockSizeBytes / blocksPerGroup));
  }

  /** One block that holds structures. Throws `damaged` where there is no such block. */
  block(number: number, what: string): Promise<Uint8Array> {
    const { blockCount, blockSizeBytes } = this.layout;
    if (number <= 0 || number >= blockCount) {
      throw damaged(what, `it names block ${number} of ${blockCount}`);
    }
    return this.structures.bytes(number * blockSizeBytes, blockSizeBytes);
  }

  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
  }
}
