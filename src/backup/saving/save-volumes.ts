import type { JobOptions } from "../../base/index.ts";
import { dataName, hasData } from "../clonezilla/index.ts";
import type { NewFolder } from "../new-folder.ts";
import { packingOf, VolumeWriter, writeParts } from "../packed/index.ts";
import { aboutVolume } from "./check-volume.ts";
import { expectedBytes, largestPartBytes, planVolume, type PlannedVolume } from "./plan-volume.ts";
import type { SavedPart, SaveRequest, Volume } from "./request.ts";

/** Saves one partition after the other into a folder. */
export class VolumeSaving {
  readonly #request: SaveRequest;
  readonly #folder: NewFolder;
  readonly #job: JobOptions;
  #doneBytes = 0;
  readonly #totalBytes: number;

  constructor(request: SaveRequest, volumes: readonly Volume[], folder: NewFolder, job: JobOptions) {
    this.#request = request;
    this.#folder = folder;
    this.#job = job;
    this.#totalBytes = volumes.reduce((sum, volume) => sum + expectedBytes(volume), 0);
  }

  async save(volume: Volume): Promise<SavedPart[]> {
    const { name, content } = volume;
    if (content === undefined) return [];
    const { type, saved } = content;
    if (!hasData(volume)) return [{ name, type, saved, usedBytes: 0, packedBytes: 0 }];
    const before = this.#doneBytes;
    try {
      const planned = await planVolume(volume, content);
      const packedBytes = await this.#write(name, planned);
      this.#doneBytes = before + expectedBytes(volume);
      return [{ name, type, saved, usedBytes: planned.usedBytes, packedBytes }];
    } catch (error) {
      throw aboutVolume(error, name);
    }
  }

  async #write(name: string, { kind, parts }: PlannedVolume): Promise<number> {
    const packing = packingOf(this.#request.packedAs, this.#request.level);
    const nameOf = (suffix: string): string => dataName({ part: name, kind, packed: packing.name, suffix });
    const { onProgress, signal } = this.#job;
    await using volumes = new VolumeWriter({
      volumeBytes: this.#request.volumeBytes,
      nameOf,
      pathOf: (suffix) => this.#folder.pathOf(nameOf(suffix)),
    });
    await writeParts(volumes, parts, {
      packing,
      partLimitBytes: largestPartBytes,
      ...(signal === undefined ? {} : { signal }),
      onWritten: (sourceBytes) => {
        this.#doneBytes += sourceBytes;
        const doneBytes = Math.min(this.#doneBytes, this.#totalBytes);
        onProgress?.({ phase: `saving ${name}`, doneBytes, totalBytes: this.#totalBytes });
      },
    });
    const written = await volumes.finish();
    for (const file of written) this.#folder.addWritten(file);
    return written.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }
}
