import { Failure } from "../../../base/index.ts";
import type { Timestamp } from "../../../tree/index.ts";
import { damaged } from "../../damaged.ts";
import { attribute } from "../../dos-attributes.ts";
import { FilePlaces } from "../../file-places.ts";
import { KeptDirectories } from "../../kept-directories.ts";
import { clusterOf, directoryLimitBytes, shortEntry, slotBytes, type ShortEntry } from "../directory-entry.ts";
import { readDirectory } from "../fat-source.ts";
import { timesOf } from "../fat-time.ts";
import { DirectoryImage } from "./directory-image.ts";
import type { FatVolume } from "./fat-volume.ts";
import { placeAt } from "./file-store.ts";

export const rootId = 1;

/** The directories of a file system that is being changed, and where in them files are. */
export class DirectoryStore {
  readonly places = new FilePlaces({ rootId, slotsPerDirectory: directoryLimitBytes / slotBytes });
  readonly #volume: FatVolume;
  readonly #kept = new KeptDirectories<DirectoryImage>();

  constructor(volume: FatVolume) {
    this.#volume = volume;
  }

  /** The directories that are not as the device has them. */
  get changed(): readonly DirectoryImage[] {
    return this.#kept.changed;
  }

  /** The directory with an id. */
  open(id: number): Promise<DirectoryImage> {
    return this.#kept.open(id, () => this.#load(id));
  }

  async entry(id: number): Promise<ShortEntry> {
    const { directory, slot } = this.places.node(id);
    return (await this.open(directory)).entry(slot);
  }

  async patch(id: number, values: Partial<ShortEntry>): Promise<void> {
    const { directory, slot } = this.places.node(id);
    (await this.open(directory)).patch(slot, values);
  }

  /** Forgets a file that is gone. */
  forget(id: number): void {
    this.places.forget(id);
    this.#kept.forget(id);
  }

  /** A place for a name, the directory grown where it has none. */
  async room(id: number, count: number): Promise<number> {
    const image = await this.open(id);
    const there = image.room(count);
    if (there !== undefined) return there;
    if (image.clusters.length === 0) {
      const reused = image.roomOfDeleted(count);
      if (reused !== undefined) return reused;
      throw new Failure("no-space", `cannot add a name: the root directory has room for ${image.capacity} entries`);
    }
    await this.#grow(image, count);
    return image.end;
  }

  /** A directory of a new cluster, with nothing in it but `.` and `..`. */
  async make(id: number, parent: DirectoryImage, now: Timestamp): Promise<DirectoryImage> {
    const clusters = await this.#volume.takeChain(1);
    const place = { clusters, capacity: this.#slotsPerCluster, known: 0 };
    const image = new DirectoryImage(new Uint8Array(0), place);
    const isInRoot = parent.start === this.#volume.layout.rootCluster;
    for (const [name, start] of [
      [".", image.start],
      ["..", isInRoot ? 0 : parent.start],
    ] as const) {
      const values = { ...timesOf(now), ...placeAt(start, 0), name: Buffer.from(name.padEnd(11)) };
      image.addRaw(shortEntry.encode({ ...values, attributes: attribute.directory }));
    }
    this.#kept.keep(id, image);
    return image;
  }

  /** The changes are on the device. */
  settle(): void {
    this.#kept.settle();
  }

  get #slotsPerCluster(): number {
    return this.#volume.layout.clusterBytes / slotBytes;
  }

  async #load(id: number): Promise<DirectoryImage> {
    const { layout } = this.#volume;
    const start = id === rootId ? layout.rootCluster : await this.#startOf(id);
    const { bytes, clusters } = await readDirectory(this.#volume, start, `directory ${id}`);
    const capacity = bytes.length / slotBytes;
    return new DirectoryImage(bytes, { clusters, capacity, known: capacity });
  }

  async #startOf(id: number): Promise<number> {
    const entry = await this.entry(id);
    if ((entry.attributes & attribute.directory) === 0) {
      throw new Failure("failed", `cannot open file ${id} as a directory: it is a file`);
    }
    const start = clusterOf(entry, this.#volume.isLarge);
    if (start === 0) throw damaged(`directory ${id}`, "it has no cluster");
    return start;
  }

  async #grow(image: DirectoryImage, count: number): Promise<void> {
    const slots = this.#slotsPerCluster;
    const runs = await this.#volume.takeChain(Math.ceil((image.end + count) / slots) - image.capacity / slots);
    const last = image.clusters.at(-1);
    const next = runs[0];
    if (last === undefined || next === undefined) throw new RangeError("a directory grew by no cluster");
    await this.#volume.table.set(last.start + last.count - 1, next.start);
    for (const run of runs) {
      image.clusters.push(run);
      image.capacity += run.count * slots;
    }
    image.isGrown = true;
  }
}
