import { stopIfAborted, type JobOptions } from "../../base/index.ts";
import { dataName, hasData } from "../clonezilla/index.ts";
import type { Content } from "../content.ts";
import { packingOf, VolumeWriter, writeParts } from "../packed/index.ts";
import { aboutVolume } from "./check-volume.ts";
import {
  changed,
  compareKept,
  dropOthers,
  framesOf,
  keepPart,
  nothingKept,
  rightVolumes,
  type KeptState,
} from "./kept-part.ts";
import type { KeptPart } from "./kept-log.ts";
import type { OpenedFolder } from "./open-folder.ts";
import type { Source } from "./open-source.ts";
import { expectedBytes, largestPartBytes, planVolume, type PlannedVolume } from "./plan-volume.ts";
import type { SavedPart, SaveRequest, Volume } from "./request.ts";

/** Saves one partition after the other into a folder. */
export class VolumeSaving {
  /** What a user should know although all went well. */
  readonly warnings: string[] = [];
  readonly #request: SaveRequest;
  readonly #source: Source;
  readonly #opened: OpenedFolder;
  readonly #job: JobOptions;
  #doneBytes = 0;
  #totalBytes: number;
  /** Of the partition at hand. */
  #ofPhase = { doneBytes: 0, totalBytes: 0 };
  #toldUnreadableBytes = 0;

  constructor(request: SaveRequest, source: Source, opened: OpenedFolder, job: JobOptions) {
    this.#request = request;
    this.#source = source;
    this.#opened = opened;
    this.#job = job;
    this.#totalBytes = source.volumes.reduce((sum, volume) => sum + expectedBytes(volume), 0);
  }

  async save(volume: Volume): Promise<SavedPart[]> {
    const { name, content } = volume;
    stopIfAborted(this.#job.signal);
    if (content === undefined) return [];
    const { type } = content;
    if (!hasData(volume)) return [{ name, type, saved: content.saved, usedBytes: 0, packedBytes: 0 }];
    try {
      return [await this.#saveData(volume, content)];
    } catch (error) {
      throw aboutVolume(error, name);
    }
  }

  async #saveData(volume: Volume, content: Content): Promise<SavedPart> {
    const { name } = volume;
    const kept = this.#opened.kept?.parts.findLast((part) => part.name === name);
    const planned = await planVolume(volume, content, {
      isUnchecked: this.#request.isUnchecked,
      unreadable: this.#source.unreadable,
      ...(kept === undefined ? {} : { saved: kept.saved }),
    });
    const { saved, kind, identity, usedBytes, warning } = planned;
    if (warning !== undefined) this.warnings.push(warning);
    this.#totalBytes += usedBytes - expectedBytes(volume);
    this.#ofPhase = { doneBytes: 0, totalBytes: usedBytes };
    if (kept !== undefined && (kept.identity !== identity || kept.kind !== kind)) throw changed(name);
    const finished = kept === undefined ? undefined : await this.#finished(kept, planned, content);
    if (finished !== undefined) return finished;
    const packedBytes = await this.#write({ name, kind, saved, identity, content, planned }, kept);
    const part = { name, type: content.type, saved, usedBytes, packedBytes };
    await this.#opened.log.add({ done: part });
    return part;
  }

  /** A partition that was finished before the rest was broken off; undefined where it has to be saved again. */
  async #finished(kept: KeptPart, planned: PlannedVolume, content: Content): Promise<SavedPart | undefined> {
    const { folder } = this.#opened;
    const { signal } = this.#job;
    if (kept.done === undefined) return undefined;
    const volumes = await rightVolumes(kept.volumes, { folder, signal });
    if (volumes.length < kept.volumes.length) return undefined;
    const onKept = (bytes: number): void => this.#progress(`comparing ${kept.name}`, bytes);
    await compareKept(kept, planned, content, { signal, onKept });
    for (const volume of volumes) folder.addWritten(volume);
    return kept.done;
  }

  async #write(data: DataOfVolume, kept: KeptPart | undefined): Promise<number> {
    const { name, kind, planned, content } = data;
    const { folder, log } = this.#opened;
    const { packedAs, level, volumeBytes } = this.#request;
    const packing = packingOf(packedAs, level);
    const nameOf = (suffix: string): string => dataName({ part: name, kind, packed: packing.name, suffix });
    const { signal } = this.#job;
    const onKept = (bytes: number): void => this.#progress(`comparing ${name}`, bytes);
    const options = { folder, packing, volumeBytes, nameOf, signal, onKept };
    const state = kept === undefined ? nothingKept(planned) : await keepPart(kept, planned, content, options);
    if (this.#opened.kept !== undefined) await dropOthers(nameOf(""), state, options);
    await this.#logBegun(data, state);
    await using volumes = await VolumeWriter.resume(
      {
        store: folder.store,
        volumeBytes,
        nameOf,
        pathOf: (suffix) => folder.pathOf(nameOf(suffix)),
        onCommitted: async ({ name: file, sizeBytes, sha1 }) => {
          await log.add({ volume: [file, sizeBytes, sha1] });
          await log.put();
        },
      },
      state.volumes,
      state.begunBytes,
    );
    try {
      await this.#writeRest(name, state, volumes);
    } catch (error) {
      volumes.keep(); // it goes with the folder where that is not kept
      throw error;
    }
    const written = await volumes.finish();
    for (const file of written) folder.addWritten(file);
    return written.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  async #writeRest(
    name: string,
    { frames, pending, isComplete, rest }: KeptState,
    volumes: VolumeWriter,
  ): Promise<void> {
    const { signal } = this.#job;
    const { packedAs, level } = this.#request;
    await volumes.write(pending);
    if (isComplete) return;
    await writeParts(volumes, rest, {
      packedAs,
      level,
      partLimitBytes: largestPartBytes,
      before: framesOf(frames),
      ...(signal === undefined ? {} : { signal }),
      onWritten: async ({ sourceBytes, sum, packedBytes, plainBytes }) => {
        await this.#logUnreadable();
        await this.#opened.log.add({ frame: [packedBytes, plainBytes, sum] });
        this.#progress(`saving ${name}`, sourceBytes);
      },
    });
  }

  async #logBegun({ name, kind, saved, identity }: DataOfVolume, { frames, volumes }: KeptState): Promise<void> {
    const { log } = this.#opened;
    await log.add({ part: { name, kind, saved, identity } });
    for (const { packedBytes, plainBytes, sum } of frames) await log.add({ frame: [packedBytes, plainBytes, sum] });
    for (const { name: file, sizeBytes, sha1 } of volumes) await log.add({ volume: [file, sizeBytes, sha1] });
  }

  /** What is zeros now is to be zeros when it is compared. */
  async #logUnreadable(): Promise<void> {
    const { stretches, totalBytes } = this.#source.unreadable;
    if (totalBytes === this.#toldUnreadableBytes) return;
    this.#toldUnreadableBytes = totalBytes;
    const unreadable = stretches.map(({ startBytes, lengthBytes }) => [startBytes, lengthBytes] as const);
    await this.#opened.log.add({ unreadable });
  }

  #progress(phase: string, sourceBytes: number): void {
    this.#doneBytes = Math.min(this.#totalBytes, this.#doneBytes + sourceBytes);
    const { totalBytes } = this.#ofPhase;
    this.#ofPhase = { doneBytes: Math.min(totalBytes, this.#ofPhase.doneBytes + sourceBytes), totalBytes };
    this.#job.onProgress?.({
      phase,
      doneBytes: this.#doneBytes,
      totalBytes: this.#totalBytes,
      ofPhase: this.#ofPhase,
    });
  }
}

interface DataOfVolume {
  readonly name: string;
  readonly kind: string;
  readonly saved: "image" | "whole";
  readonly identity: string;
  readonly content: Content;
  readonly planned: PlannedVolume;
}
