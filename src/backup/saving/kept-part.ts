import { createHash } from "node:crypto";
import { Failure, stopIfAborted } from "../../base/index.ts";
import { readBytes } from "../../device/index.ts";
import type { Content } from "../content.ts";
import type { NewFolder } from "../new-folder.ts";
import {
  PartPacker,
  sealAndSum,
  VolumeReader,
  volumeSuffix,
  type Frame,
  type Packing,
  type Part,
  type Volume,
  type WrittenFile,
} from "../packed/index.ts";
import { pathIn, readChunks, unfinishedEnding } from "../store/index.ts";
import type { KeptFrame, KeptPart } from "./kept-log.ts";
import type { PlannedVolume } from "./plan-volume.ts";

/** What is used again of a partition that was begun. */
export interface KeptState {
  readonly volumes: readonly WrittenFile[];
  /** How much of the next volume. */
  readonly begunBytes: number;
  readonly frames: readonly KeptFrame[];
  /** What has to be written first: the rest of a frame of which a volume has the beginning. */
  readonly pending: Uint8Array;
  /** The frames are followed by all that comes behind them, `pending` included. */
  readonly isComplete: boolean;
  /** Parts that are not there. */
  readonly rest: Iterable<Part>;
}

export interface KeepOptions {
  readonly folder: NewFolder;
  readonly packing: Packing;
  readonly volumeBytes: number;
  readonly nameOf: (suffix: string) => string;
  readonly signal: AbortSignal | undefined;
  /** Hears of what need not be saved again. */
  readonly onKept: (sourceBytes: number) => void;
}

/**
 * Finds out what can be kept of a partition: whole volumes with the right checksums, and whole frames of the volume that
 * was begun. Throws `mismatch` where the partition is not what it was when they were made.
 */
export async function keepPart(
  kept: KeptPart,
  planned: PlannedVolume,
  content: Content,
  options: KeepOptions,
): Promise<KeptState> {
  const volumes = await rightVolumes(kept.volumes, options);
  const committedBytes = volumes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const begun = volumes.length < kept.volumes.length ? undefined : await begunVolume(volumes.length, options);
  const places = volumes.map(({ name, sizeBytes }) => ({ path: options.folder.pathOf(name), sizeBytes }));
  await using there = new VolumeReader(options.folder.store, begun === undefined ? places : [...places, begun]);
  const walk = new KeptWalk(kept, { there, committedBytes }, options);
  const rest = await walk.run(planned.parts(), tellsChanges(content));
  const { frames, packedBytes } = walk;
  const state = { volumes, frames, rest, pending: new Uint8Array(0), isComplete: false };
  if (packedBytes >= committedBytes) return { ...state, begunBytes: packedBytes - committedBytes };
  const overhang = await readBytes(there, packedBytes, committedBytes - packedBytes);
  return (await bridged({ ...state, begunBytes: 0 }, overhang, options)) ?? nothingKept(planned);
}

export function nothingKept({ parts }: PlannedVolume): KeptState {
  return { volumes: [], begunBytes: 0, frames: [], pending: new Uint8Array(0), isComplete: false, rest: parts() };
}

/** Throws where a partition that is there as a whole has changed since. */
export async function compareKept(
  kept: KeptPart,
  planned: PlannedVolume,
  content: Content,
  { signal, onKept }: Pick<KeepOptions, "signal" | "onKept">,
): Promise<void> {
  let n = 0;
  for (const part of planned.parts()) {
    stopIfAborted(signal);
    const frame = kept.frames[n++];
    if (frame === undefined || part.lengthBytes !== frame.plainBytes) throw changed(kept.name);
    if (!tellsChanges(content)) await compareSource(part, frame, kept.name);
    onKept(part.sourceBytes);
  }
}

/** Volumes from the first on, as long as they are what they were. */
export async function rightVolumes(
  volumes: readonly WrittenFile[],
  { folder, signal }: Pick<KeepOptions, "folder" | "signal">,
): Promise<readonly WrittenFile[]> {
  const { store } = folder;
  const right: WrittenFile[] = [];
  for (const volume of volumes) {
    stopIfAborted(signal);
    const path = folder.pathOf(volume.name);
    if ((await store.find(path))?.sizeBytes !== volume.sizeBytes) break;
    // What is far away was checked as it came there; reading all of it back would take as long as sending it again.
    if (store.reopen !== undefined) {
      await using reader = await store.open(path);
      const hash = createHash("sha1");
      for await (const chunk of readChunks(reader)) hash.update(chunk);
      if (hash.digest("hex") !== volume.sha1) break;
    }
    right.push(volume);
  }
  return right;
}

async function begunVolume(n: number, { folder, nameOf, volumeBytes }: KeepOptions): Promise<Volume | undefined> {
  if (folder.store.reopen === undefined) return undefined;
  const path = folder.pathOf(nameOf(volumeSuffix(n))) + unfinishedEnding;
  const found = await folder.store.find(path);
  return found === undefined ? undefined : { path, sizeBytes: Math.min(found.sizeBytes, volumeBytes) };
}

/** Their superblocks change whenever they are mounted to be written. Of others, what was saved is read again. */
function tellsChanges(content: Content): boolean {
  return content.saved === "image" && (content.imageName === "EXTFS" || content.imageName === "BTRFS");
}

/** Goes through frames that were written and the parts of the disk that they were made of. */
class KeptWalk {
  readonly frames: KeptFrame[] = [];
  packedBytes = 0;
  readonly #kept: KeptPart;
  readonly #there: VolumeReader;
  readonly #committedBytes: number;
  readonly #options: KeepOptions;

  constructor(
    kept: KeptPart,
    { there, committedBytes }: { readonly there: VolumeReader; readonly committedBytes: number },
    options: KeepOptions,
  ) {
    this.#kept = kept;
    this.#there = there;
    this.#committedBytes = committedBytes;
    this.#options = options;
  }

  /** Gives the parts from the first on that is not there whole. */
  async run(parts: Iterable<Part>, isTrusted: boolean): Promise<Iterable<Part>> {
    const { name, frames } = this.#kept;
    const waiting = parts[Symbol.iterator]();
    let last: { readonly part: Part; readonly frame: KeptFrame } | undefined;
    let broken: Part | undefined;
    for (const frame of frames) {
      stopIfAborted(this.#options.signal);
      if (this.packedBytes + frame.packedBytes > this.#there.sizeBytes) break;
      const { done, value: part } = waiting.next();
      if (done === true || part.lengthBytes !== frame.plainBytes) throw changed(name);
      if (!(await this.#isThere(frame, part))) {
        broken = part;
        break;
      }
      last = { part, frame };
      if (!isTrusted) await compareSource(part, frame, name);
      this.frames.push(frame);
      this.packedBytes += frame.packedBytes;
      this.#options.onKept(part.sourceBytes);
    }
    if (isTrusted && last !== undefined) await compareSource(last.part, last.frame, name);
    return following(broken, waiting);
  }

  /** What is in whole volumes is; what follows may never have reached the disk. */
  async #isThere(frame: KeptFrame, part: Part): Promise<boolean> {
    if (this.packedBytes + frame.packedBytes <= this.#committedBytes) return true;
    try {
      const packed = await readBytes(this.#there, this.packedBytes, frame.packedBytes);
      const plain = await this.#options.packing.unpack(packed);
      const sealed = Buffer.from(plain);
      return sealAndSum(sealed, part.sealed ?? []) === frame.sum && sealed.equals(plain);
    } catch {
      return false; // its checksum is wrong, or it is none
    }
  }
}

function* following(first: Part | undefined, rest: Iterator<Part>): Generator<Part, void, void> {
  if (first !== undefined) yield first;
  for (let next = rest.next(); next.done !== true; next = rest.next()) yield next.value;
}

async function compareSource(part: Part, frame: KeptFrame, name: string): Promise<void> {
  const bytes = Buffer.allocUnsafeSlow(part.lengthBytes);
  await part.fill(bytes);
  if (sealAndSum(bytes, part.sealed ?? []) !== frame.sum) throw changed(name);
}

export function changed(name: string): Failure {
  return new Failure("mismatch", `cannot go on with ${name}: it has changed since that was begun`, {
    hint: "save anew, without --resume, and remove what was begun",
  });
}

/** A volume ends within a frame: the frame is made again, and the rest of it written. Undefined where it comes out otherwise. */
async function bridged(
  state: KeptState,
  overhang: Uint8Array,
  { packing }: KeepOptions,
): Promise<KeptState | undefined> {
  const waiting = state.rest[Symbol.iterator]();
  const next = waiting.next();
  if (next.done === true) {
    const end = packing.end(framesOf(state.frames));
    return beginsWith(end, overhang)
      ? { ...state, pending: end.subarray(overhang.length), isComplete: true }
      : undefined;
  }
  const part = next.value;
  const plain = Buffer.allocUnsafeSlow(part.lengthBytes);
  await part.fill(plain);
  const { packed, sum } = await new PartPacker(packing).pack(plain, part.sealed ?? []);
  if (!beginsWith(packed, overhang)) return undefined;
  const frame = { packedBytes: packed.length, plainBytes: plain.length, sum };
  const pending = packed.subarray(overhang.length);
  return { ...state, frames: [...state.frames, frame], pending, rest: following(undefined, waiting) };
}

/** As seek tables have them. */
export function framesOf(frames: readonly KeptFrame[]): readonly Frame[] {
  return frames.map(({ packedBytes, plainBytes }) => ({ packedBytes, plainBytes }));
}

function beginsWith(bytes: Uint8Array, beginning: Uint8Array): boolean {
  if (beginning.length > bytes.length) return false;
  return Buffer.compare(bytes.subarray(0, beginning.length), beginning) === 0;
}

/** Takes away the volumes of a partition that are not kept. */
export async function dropOthers(
  prefix: string,
  { volumes, begunBytes }: KeptState,
  { folder, nameOf }: Pick<KeepOptions, "folder" | "nameOf">,
): Promise<void> {
  const begunName = begunBytes > 0 ? nameOf(volumeSuffix(volumes.length)) + unfinishedEnding : undefined;
  for (const { name } of await folder.store.list(folder.partName)) {
    if (!name.startsWith(prefix) || name === begunName || volumes.some((volume) => volume.name === name)) continue;
    await folder.store.remove(pathIn(folder.partName, name));
  }
}
