import { Failure, type JobOptions } from "../base/index.ts";

/** What the tour fills its disk from. */
export interface Demonstration {
  /** `12 Debian packages`, `this checkout` */
  readonly description: string;
  /** Folders and tars for `--from`. */
  readonly from: readonly string[];
  /** A text file among them, from `/`, that is worth reading. */
  readonly samplePath: string;
}

/** Gets a small root tree of Debian into a folder of its own where one can be had, or else takes the checkout. */
export async function prepareDemonstration(folder: string, _options: JobOptions): Promise<Demonstration> {
  throw new Failure("unsupported", `cannot prepare "${folder}": this is not written yet`);
}
