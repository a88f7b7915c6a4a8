import { Failure } from "../../../base/index.ts";
import { printableName } from "../../../bytes/index.ts";
import { clustersIn, type ClusterRun } from "../../cluster-run.ts";
import { damaged } from "../../damaged.ts";
import { FilePlaces } from "../../file-places.ts";
import { KeptDirectories } from "../../kept-directories.ts";
import type { Allocation } from "../chain.ts";
import { isSealed, setBytes } from "../directory-sets.ts";
import { factsIn, isDirectory, type FileFacts } from "../exfat-file.ts";
import { readDirectory, readRoot, type DirectoryBytes } from "../exfat-source.ts";
import { directoryLimitBytes, slotBytes, type FileEntryRecord, type StreamEntryRecord } from "../records.ts";
import { joined, placeIn, type StreamPlace } from "./data-place.ts";
import { DirectoryImage, type DirectoryShape } from "./directory-image.ts";
import type { ExfatVolume } from "./exfat-volume.ts";
import type { DataOwner } from "./file-store.ts";

export const rootId = 1;

/** The directories of a file system that is being changed, and where in them files are. */
export class DirectoryStore {
  readonly places = new FilePlaces({ rootId, slotsPerDirectory: directoryLimitBytes / slotBytes });
  readonly #volume: ExfatVolume;
  readonly #shape: DirectoryShape;
  readonly #kept = new KeptDirectories<DirectoryImage>();
  /** The clusters of directories that were looked into, as the device has them. */
  readonly #known = new WeakMap<DirectoryImage, Allocation>();

  constructor(volume: ExfatVolume) {
    this.#volume = volume;
    this.#shape = { upcase: volume.upcase, sectorSlots: volume.layout.sectorBytes / slotBytes };
  }

  /** The directories that are not as the device has them. */
  get changed(): readonly DirectoryImage[] {
    return this.#kept.changed;
  }

  /** The directory with an id. */
  open(id: number): Promise<DirectoryImage> {
    return this.#kept.open(id, () => this.#load(id));
  }

  /** What the set of a file says. Throws `damaged` where its checksum is wrong. */
  async file(id: number): Promise<DataOwner> {
    const { directory, slot } = this.places.node(id);
    const image = await this.open(directory);
    const set = image.setAt(slot);
    const bytes = setBytes(image.bytes, set);
    const what = `"${printableName(set.name)}"`;
    if (!isSealed(bytes)) throw damaged(what, "the checksum of its directory entries does not match");
    return { id, facts: factsIn(bytes), what };
  }

  async facts(id: number): Promise<FileFacts> {
    return (await this.file(id)).facts;
  }

  /** Changes what the set of a file says; where that takes more than one write, in a new set. */
  async patch(id: number, file: Partial<FileEntryRecord>, stream: Partial<StreamEntryRecord> = {}): Promise<void> {
    const { directory, slot } = this.places.node(id);
    const image = await this.open(directory);
    if (image.isWhole(slot)) {
      image.patch(slot, file, stream);
      return;
    }
    const set = image.setAt(slot);
    const bytes = setBytes(image.bytes, set).slice();
    const free = await this.room(directory, set.count);
    image.retire(set, id);
    image.addBytes(set.name, free, bytes);
    this.places.place(id, directory, free);
    image.patch(free, file, stream);
  }

  /** Forgets a file that is gone. */
  forget(id: number): void {
    this.places.forget(id);
    this.#kept.forget(id);
    this.#volume.chains.delete(id);
  }

  /** A place for so many entries, the directory grown where it has none. */
  async room(id: number, count: number): Promise<number> {
    const image = await this.open(id);
    const there = image.room(count);
    if (there !== undefined) return there;
    await this.#grow(id, image, image.slotsWith(count));
    return image.slotsWith(0);
  }

  /** A new directory of one cluster, with nothing in it; gives what its set is to say. */
  newDirectory(): { readonly image: DirectoryImage; readonly place: StreamPlace } {
    const runs = this.#volume.take(1);
    const shape = { runs, capacity: this.#slotsPerCluster, known: 0 };
    const image = new DirectoryImage(new Uint8Array(0), shape, this.#shape);
    return { image, place: placeIn(runs, this.#volume.clusterBytes) };
  }

  /** Takes a new directory in under its id. */
  adopt(id: number, image: DirectoryImage): void {
    this.#volume.chains.set(id, { was: undefined, runs: image.runs });
    this.#kept.keep(id, image);
  }

  /** The changes are on the device. */
  settle(): void {
    this.#kept.settle();
  }

  get #slotsPerCluster(): number {
    return this.#volume.clusterBytes / slotBytes;
  }

  async #load(id: number): Promise<DirectoryImage> {
    const { bytes, runs, isContiguous } = id === rootId ? await readRoot(this.#volume) : await this.#read(id);
    const known = bytes.length / slotBytes;
    const image = new DirectoryImage(bytes, { runs, capacity: known, known }, this.#shape);
    this.#known.set(image, { runs, isContiguous });
    return image;
  }

  async #read(id: number): Promise<DirectoryBytes> {
    const { facts, what } = await this.file(id);
    if (!isDirectory(facts)) throw new Failure("failed", `cannot open file ${id} as a directory: it is a file`);
    const { dataBytes } = facts.stream;
    if (dataBytes % this.#volume.clusterBytes !== 0) throw damaged(what, `a directory cannot have ${dataBytes} bytes`);
    return readDirectory(this.#volume, facts.stream, what);
  }

  async #grow(id: number, image: DirectoryImage, slots: number): Promise<void> {
    const perCluster = this.#slotsPerCluster;
    const wanted = Math.ceil(slots / perCluster);
    const more = wanted - image.capacity / perCluster;
    const last = image.runs.at(-1);
    const taken = this.#volume.take(more, last === undefined ? undefined : last.start + last.count);
    const all = joined([...image.runs, ...taken]);
    image.runs = image.knownSlots === 0 ? this.#inOneStretch(all) : all;
    image.capacity = wanted * perCluster;
    image.isGrown = true;
    const was = this.#volume.chains.get(id)?.was ?? this.#known.get(image);
    this.#volume.chains.set(id, { was, runs: image.runs });
    if (id !== rootId) await this.patch(id, {}, placeIn(image.runs, wanted * this.#volume.clusterBytes));
  }

  /** Other clusters for a directory that is nowhere on the device yet, if those are one stretch. */
  #inOneStretch(runs: readonly ClusterRun[]): readonly ClusterRun[] {
    const count = clustersIn(runs);
    if (runs.length === 1 || count > this.#volume.pool.freeNow) return runs;
    const whole = this.#volume.pool.take(count);
    const isWhole = whole.count === count;
    this.#volume.release(isWhole ? runs : [whole]);
    return isWhole ? [whole] : runs;
  }
}
