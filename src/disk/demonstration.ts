import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Failure, stopIfAborted, type JobOptions } from "../base/index.ts";

const run = promisify(execFile);

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
const downloadLimitMs = 60_000;

/** Gets a small root tree of Debian into `packages` in a folder where one can be had, or else takes Holdfast itself. */
export async function prepareDemonstration(folder: string, job: JobOptions = {}): Promise<Demonstration> {
  job.onProgress?.({ phase: "getting packages", doneBytes: 0 });
  const downloaded = await downloadPackages(folder, job.signal);
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

/** apt fetches and verifies; nothing is installed and no root is needed. Undefined where that cannot be done. */
async function downloadPackages(folder: string, signal: AbortSignal | undefined): Promise<string[] | undefined> {
  const target = path.join(folder, "packages");
  fs.mkdirSync(target, { recursive: true });
  try {
    // As another user, apt's own sandbox could not write here and would say so.
    const options = ["-o", "APT::Sandbox::User=", "-qq"];
    await run("apt-get", [...options, "download", ...packages], {
      cwd: target,
      timeout: downloadLimitMs,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    stopIfAborted(signal);
    if (error instanceof Error) return undefined; // no apt, no lists, no network: the tour has its own files
    throw error;
  }
  const files = fs.readdirSync(target).filter((name) => name.endsWith(".deb"));
  if (files.length !== packages.length) return undefined;
  return packages.map((name) => {
    const file = files.find((candidate) => candidate.startsWith(`${name}_`));
    if (file === undefined) throw new Failure("failed", `cannot find the package "${name}" that was just downloaded`);
    const short = path.join(target, `${name}.deb`);
    fs.renameSync(path.join(target, file), short);
    return short;
  });
}
