import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { Failure, stopIfAborted, type JobOptions } from "../base/index.ts";
import { fetchPackages } from "./fetch-packages.ts";

/** What the tour fills its disk from. */
export interface Demonstration {
  /** `4 Debian packages`, `Holdfast's own files` */
  readonly description: string;
  /** Folders, tars and packages for `--from`. */
  readonly from: readonly string[];
  /** A text file among them, from `/`, that is worth reading. */
  readonly samplePath: string;
}

/** The beginning of a Debian root: some 30 MB when unpacked. */
const packages = ["base-files", "bash", "coreutils", "libc6"] as const;

/** Gets a small root tree of Debian into `packages` in a folder where one can be had, or else takes Holdfast itself. */
export async function prepareDemonstration(folder: string, job: JobOptions = {}): Promise<Demonstration> {
  const downloaded = await tryPackages(folder, job);
  if (downloaded !== undefined) {
    return {
      description: `${downloaded.length} Debian packages`,
      from: downloaded,
      samplePath: "/usr/lib/os-release",
    };
  }
  const own = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
  const entry = import.meta.url.endsWith(".ts") ? "index.ts" : "index.js";
  return { description: "Holdfast's own files", from: [own], samplePath: `/base/${entry}` };
}

/** The packages under short names, which the tour shows. */
async function tryPackages(folder: string, job: JobOptions): Promise<readonly string[] | undefined> {
  try {
    const files = await fetchPackages(packages, { folder: path.join(folder, "packages"), ...job });
    return files.map((file, n) => {
      const short = path.join(path.dirname(file), `${packages[n]}.deb`);
      fs.renameSync(file, short);
      return short;
    });
  } catch (error) {
    stopIfAborted(job.signal);
    if (error instanceof Failure) return undefined; // no apt, no lists, no network: the tour has its own files
    throw error;
  }
}
