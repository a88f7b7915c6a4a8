import type { JobOptions } from "../../base/index.ts";
import { dataName, hasData } from "../clonezilla/index.ts";
import type { NewFolder } from "../new-folder.ts";
import { VolumeWriter, writeParts } from "../packed/index.ts";
import { aboutVolume } from "./check-volume.ts";
import type { Source } from "./open-source.ts";
import { expectedBytes, largestPartBytes, planVolume, type PlannedVolume } from "./plan-volume.ts";
import type { SavedPart, SaveRequest, Volume } from "./request.ts";

/** Saves one partition after the other into a folder. */
export class VolumeSaving {
  /** What a user should know although all went well. */
  readonly warnings: string[] = [];
  readonly #request: SaveRequest;
  readonly #source: Source;
  readonly #folder: NewFolder;
  readonly #job: JobOptions;
  #doneBytes = 0;
  #totalBytes: number;

  constructor(request: SaveRequest, source: Source, folder: NewFolder, job: JobOptions) {
    this.#request = request;
    this.#source = source;
    this.#folder = folder;
    this.#job = job;
    this.#totalBytes = source.volumes.reduce((sum, volume) => sum + expectedBytes(volume), 0);
  }

  async save(volume: Volume): Promise<SavedPart[]> {
    const { name, content } = volume;
    if (content === undefined) return [];
    const { type } = content;
    if (!hasData(volume)) return [{ name, type, saved: content.saved, usedBytes: 0, packedBytes: 0 }];
    try {
      const { isUnchecked } = this.#request;
      const planned = await planVolume(volume, content, { isUnchecked, unreadable: this.#source.unreadable });
      const { saved, usedBytes, warning } = planned;
      if (warning !== undefined) this.warnings.push(warning);
      this.#totalBytes += usedBytes - expectedBytes(volume);
      const packedBytes = await this.#write(name, planned);
      return [{ name, type, saved, usedBytes, packedBytes }];
    } catch (error) {
      throw aboutVolume(error, name);
    }
  }

  async #write(name: string, { kind, parts }: PlannedVolume): Promise<number> {
    const { packedAs, level } = this.#request;
    const nameOf = (suffix: string): string => dataName({ part: name, kind, packed: packedAs, suffix });
    const { onProgress, signal } = this.#job;
    await using volumes = new VolumeWriter({
      store: this.#folder.store,
      volumeBytes: this.#request.volumeBytes,
      nameOf,
      pathOf: (suffix) => this.#folder.pathOf(nameOf(suffix)),
    });
    await writeParts(volumes, parts, {
      packedAs,
      level,
      partLimitBytes: largestPartBytes,
      ...(signal === undefined ? {} : { signal }),
      onWritten: (sourceBytes) => {
        this.#doneBytes += sourceBytes;
        onProgress?.({ phase: `saving ${name}`, doneBytes: this.#doneBytes, totalBytes: this.#totalBytes });
      },
    });
    const written = await volumes.finish();
    for (const file of written) this.#folder.addWritten(file);
    return written.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }
}
