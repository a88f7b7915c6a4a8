import type { BlockReader } from "../../device/index.ts";
import { ChunkCache } from "../chunk-cache.ts";
import { damaged } from "../damaged.ts";
import type { LogState } from "./log-state.ts";
import { blockPlace, placeOnDevice, type BlockPlace, type XfsLayout } from "./layout.ts";

const chunks = { chunkBytes: 64 * 1024, chunkLimit: 128 }; // 8 MiB

/** What all that reads from one XFS has in hand. */
export class XfsSource {
  readonly reader: BlockReader;
  readonly layout: XfsLayout;
  /** Trees, inodes, directories. */
  readonly structures: ChunkCache;
  /** Small files, apart from the structures. */
  readonly contents: ChunkCache;
  readonly logState: LogState;
  /** Whether the counters of the superblock are those of now. */
  readonly hasCounters: boolean;

  constructor(
    reader: BlockReader,
    layout: XfsLayout,
    state: { readonly logState: LogState; readonly hasCounters: boolean },
  ) {
    this.reader = reader;
    this.layout = layout;
    this.logState = state.logState;
    this.hasCounters = state.hasCounters;
    this.structures = new ChunkCache(reader, chunks);
    this.contents = new ChunkCache(reader, chunks);
  }

  /** Whether the log holds what is not in its place yet. */
  get isLogPending(): boolean {
    return this.logState === "pending";
  }

  /** One block of a group, which there is. */
  blockOf(place: BlockPlace): Promise<Uint8Array> {
    return this.structures.bytes(placeOnDevice(this.layout, place), this.layout.blockBytes);
  }

  /** Where a block stands that is told by its number. Throws `damaged` where there is no such block. */
  deviceAt(number: number, what: string): number {
    const place = blockPlace(this.layout, number);
    if (place === undefined) throw damaged(what, `it names block ${number}, which there is not`);
    return placeOnDevice(this.layout, place);
  }
}
