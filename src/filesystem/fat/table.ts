import { readBytes, type BlockReader } from "../../device/index.ts";
import { firstCluster } from "../cluster-run.ts";
import { entryBits, type FatKind, type FatLayout } from "./layout.ts";

/** How many entries are read and held together: whole sectors of every kind of table, and all of FAT12's. */
const windowEntries = 16 * 1024;
/** How many windows that did not change are kept: 16 MiB. */
const windowLimit = 256;

/** What an entry of each kind says, without the bits that are not part of it. */
const valueMask: Readonly<Record<FatKind, number>> = { fat12: 0xfff, fat16: 0xffff, fat32: 0x0fffffff };

/** The marks of each kind of table. */
export interface TableMarks {
  readonly mask: number;
  /** A cluster with sectors that do not hold data. */
  readonly bad: number;
  /** This value and those above it: the last cluster of a chain. */
  readonly end: number;
  /** Of entry 1: set while the file system is closed. FAT12 has none. */
  readonly closedBit: number;
  /** Of entry 1: set while no read or write has failed. */
  readonly soundBit: number;
}

export const marksOf: Readonly<Record<FatKind, TableMarks>> = {
  fat12: { mask: valueMask.fat12, bad: 0xff7, end: 0xff8, closedBit: 0, soundBit: 0 },
  fat16: { mask: valueMask.fat16, bad: 0xfff7, end: 0xfff8, closedBit: 0x8000, soundBit: 0x4000 },
  fat32: { mask: valueMask.fat32, bad: 0x0ffffff7, end: 0x0ffffff8, closedBit: 0x08000000, soundBit: 0x04000000 },
};

/** A stretch of a file allocation table: its entries whole, with the bits that are not part of their value. */
export class TableWindow {
  readonly first: number;
  readonly entries: Uint32Array;
  /** The entries as the device has them, once one has changed. */
  before: Uint32Array | undefined;

  constructor(first: number, entries: Uint32Array) {
    this.first = first;
    this.entries = entries;
  }

  has(cluster: number): boolean {
    return cluster >= this.first && cluster < this.first + this.entries.length;
  }

  /** The entry of a cluster in this window, as it is to be. */
  entry(cluster: number): number {
    return this.entries[cluster - this.first] ?? 0;
  }
}

/** Adjacent clusters whose entries were cleared. */
export interface ClearedClusters {
  readonly start: number;
  readonly count: number;
  /** On the device they are free still: nothing there refers to them. */
  readonly wasFree: boolean;
}

/** The file allocation table of a file system, read in windows; changes stay in them until they are written. */
export class FatTable {
  readonly layout: FatLayout;
  readonly marks: TableMarks;
  readonly #reader: BlockReader;
  readonly #windows = new Map<number, TableWindow>();
  readonly #changed = new Map<number, TableWindow>();
  #last: TableWindow | undefined;

  constructor(reader: BlockReader, layout: FatLayout) {
    this.#reader = reader;
    this.layout = layout;
    this.marks = marksOf[layout.kind];
  }

  /** The windows with entries that are not as the device has them. */
  get changed(): Iterable<TableWindow> {
    return this.#changed.values();
  }

  /** The window that holds the entry of a cluster. */
  async window(cluster: number): Promise<TableWindow> {
    if (this.#last?.has(cluster) === true) return this.#last;
    const number = Math.floor(cluster / windowEntries);
    const window = this.#changed.get(number) ?? this.#windows.get(number) ?? (await this.#read(number));
    this.#last = window;
    return window;
  }

  /** The value of a cluster's entry. */
  async value(cluster: number): Promise<number> {
    return (await this.window(cluster)).entry(cluster) & this.marks.mask;
  }

  /** Gives a cluster's entry another value; the bits beside the value stay. */
  async set(cluster: number, value: number): Promise<void> {
    const window = await this.window(cluster);
    this.#change(window);
    const index = cluster - window.first;
    window.entries[index] = ((window.entry(cluster) & ~this.marks.mask) | value) >>> 0;
  }

  /** Links adjacent clusters to each other, and the last of them to `next`. */
  async link(start: number, count: number, next: number): Promise<void> {
    const end = start + count;
    for (let cluster = start; cluster < end;) {
      const window = await this.window(cluster);
      this.#change(window);
      for (; cluster < end && window.has(cluster); cluster++) {
        const kept = window.entry(cluster) & ~this.marks.mask;
        window.entries[cluster - window.first] = (kept | (cluster + 1 < end ? cluster + 1 : next)) >>> 0;
      }
    }
  }

  /** Makes adjacent clusters free; gives the stretches of them, and whether each is free on the device already. */
  async *clear(start: number, count: number): AsyncGenerator<ClearedClusters> {
    const end = start + count;
    for (let cluster = start; cluster < end;) {
      const window = await this.window(cluster);
      this.#change(window);
      const wasFree = (n: number): boolean => ((window.before?.[n - window.first] ?? 0) & this.marks.mask) === 0;
      const from = cluster;
      const isUnknown = wasFree(from);
      for (; cluster < end && window.has(cluster) && wasFree(cluster) === isUnknown; cluster++) {
        const index = cluster - window.first;
        window.entries[index] = ((window.entries[index] ?? 0) & ~this.marks.mask) >>> 0;
      }
      yield { start: from, count: cluster - from, wasFree: isUnknown };
    }
  }

  /** What was to change has been written. */
  settle(): void {
    for (const [number, window] of this.#changed) {
      window.before = undefined;
      this.#keep(number, window);
    }
    this.#changed.clear();
  }

  #change(window: TableWindow): void {
    if (window.before !== undefined) return;
    window.before = window.entries.slice();
    const number = window.first / windowEntries;
    this.#windows.delete(number);
    this.#changed.set(number, window);
  }

  async #read(number: number): Promise<TableWindow> {
    const first = number * windowEntries;
    const window = new TableWindow(first, await readEntries(this.#reader, this.layout, first, windowEntries));
    this.#keep(number, window);
    return window;
  }

  #keep(number: number, window: TableWindow): void {
    if (this.#windows.size >= windowLimit) {
      for (const oldest of this.#windows.keys()) {
        this.#windows.delete(oldest);
        break;
      }
    }
    this.#windows.set(number, window);
  }
}

/** Entries of one of the tables, the active one unless told, as far as there are clusters. `first` is of a window. */
export async function readEntries(
  reader: BlockReader,
  layout: FatLayout,
  first: number,
  limit: number,
  table: number = layout.activeTable,
): Promise<Uint32Array> {
  const count = Math.max(0, Math.min(limit, firstCluster + layout.clusterCount - first));
  const bits = entryBits[layout.kind];
  const at = layout.tableAt + table * layout.tableBytes + (first * bits) / 8;
  const bytes = await readBytes(reader, at, Math.ceil((count * bits) / 8));
  return decodeEntries(layout.kind, bytes, count);
}

/** Entries that begin with a whole byte. */
function decodeEntries(kind: FatKind, bytes: Uint8Array, count: number): Uint32Array {
  const entries = new Uint32Array(count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (kind === "fat32") for (let n = 0; n < count; n++) entries[n] = view.getUint32(n * 4, true);
  else if (kind === "fat16") for (let n = 0; n < count; n++) entries[n] = view.getUint16(n * 2, true);
  else {
    for (let n = 0; n < count; n++) {
      const at = Math.floor((n * 3) / 2);
      const pair = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
      entries[n] = n % 2 === 0 ? pair & 0xfff : pair >>> 4;
    }
  }
  return entries;
}

/** The bytes of entries, of which the first begins with a whole byte. A half byte left over is zero. */
export function encodeEntries(kind: FatKind, entries: Uint32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil((entries.length * entryBits[kind]) / 8));
  const view = new DataView(bytes.buffer);
  if (kind === "fat32") entries.forEach((entry, n) => view.setUint32(n * 4, entry, true));
  else if (kind === "fat16") entries.forEach((entry, n) => view.setUint16(n * 2, entry, true));
  else {
    entries.forEach((entry, n) => {
      const at = Math.floor((n * 3) / 2);
      if (n % 2 === 0) {
        bytes[at] = entry & 0xff;
        bytes[at + 1] = entry >>> 8;
      } else {
        bytes[at] = (bytes[at] ?? 0) | ((entry & 0xf) << 4);
        bytes[at + 1] = entry >>> 4;
      }
    });
  }
  return bytes;
}

/** All entries of a table, the first two included, a window at a time. */
export async function* allEntries(
  reader: BlockReader,
  layout: FatLayout,
  table: number = layout.activeTable,
): AsyncGenerator<{ readonly first: number; readonly entries: Uint32Array }> {
  const end = firstCluster + layout.clusterCount;
  for (let first = 0; first < end; first += windowEntries) {
    yield { first, entries: await readEntries(reader, layout, first, windowEntries, table) };
  }
}
