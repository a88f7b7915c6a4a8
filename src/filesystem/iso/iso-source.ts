import type { BlockReader } from "../../device/index.ts";
import { ChunkCache } from "../chunk-cache.ts";
import { HardLinks } from "./hard-links.ts";

/** Which of the trees of a volume is read, and by that how its names are spelled. */
export type IsoTree = "rock ridge" | "joliet" | "enhanced" | "plain";

/** Structures of a device by the blocks of a volume. */
export interface BlockBytes {
  readonly blockSizeBytes: number;
  readonly structures: ChunkCache;
}

/** A volume's numbers, and the tree of it that is read. */
export interface IsoVolume {
  readonly blockSizeBytes: number;
  readonly sizeBytes: number;
  readonly tree: IsoTree;
  /** Where the root directory begins. */
  readonly rootAt: number;
  /** How many bytes of each system use area belong to somebody else (SUSP 1.12 §5.3). */
  readonly systemUseSkip: number;
}

const chunks = { chunkBytes: 64 * 1024, chunkLimit: 128 }; // 8 MiB

/** What all that reads from one ISO 9660 volume has in hand. */
export class IsoSource implements BlockBytes {
  readonly reader: BlockReader;
  readonly volume: IsoVolume;
  readonly structures: ChunkCache;
  /** Small files, apart from the structures. */
  readonly contents: ChunkCache;
  readonly hardLinks = new HardLinks();

  constructor(reader: BlockReader, volume: IsoVolume) {
    this.reader = reader;
    this.volume = volume;
    this.structures = new ChunkCache(reader, chunks);
    this.contents = new ChunkCache(reader, chunks);
  }

  get blockSizeBytes(): number {
    return this.volume.blockSizeBytes;
  }
}
