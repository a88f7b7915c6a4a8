import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { Failure, stopIfAborted, type JobOptions } from "../base/index.ts";
import { fetchDebian } from "./debian-disk.ts";
import { fetchPackages } from "./making/index.ts";
import { canRunDisks } from "./machine/index.ts";

/** What the tour fills its disk from. */
export interface Demonstration {
  /** `Debian bookworm, from its packages`, `4 Debian packages`, `Holdfast's own files` */
  readonly description: string;
  /** For `disk create`: what to fill the disk from. */
  readonly words: readonly string[];
  /** A text file among them, from `/`, that is worth reading. */
  readonly samplePath: string;
  /** The disk starts, and there is something here to start it with. */
  readonly starts: boolean;
}

export interface DemonstrationRequest {
  /** Where packages may be put under short names. */
  readonly folder: string;
  /** Where packages of a whole system are kept. */
  readonly cacheFolder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly nowMs: number;
}

/** The beginning of a Debian root: some 30 MB when unpacked. */
const packages = ["base-files", "bash", "coreutils", "libc6"] as const;
const usualRelease = "stable";

/**
 * Gets what a small Debian system is made of where that can be had, and a machine to start it; else a few packages;
 * else it takes Holdfast itself.
 */
export async function prepareDemonstration(
  request: DemonstrationRequest,
  job: JobOptions = {},
): Promise<Demonstration> {
  const release = canRunDisks(request.env) ? await orNothing(fetchSystem(request, job), job) : undefined;
  if (release !== undefined) {
    return {
      description: `Debian ${release}, out of its packages`,
      words: ["--debian", release, "--boot", "bios,uefi"],
      samplePath: "/etc/os-release",
      starts: true,
    };
  }
  const downloaded = await orNothing(fetchFew(request.folder, job), job);
  if (downloaded !== undefined) {
    return {
      description: `${downloaded.length} Debian packages`,
      words: downloaded.flatMap((file) => ["--from", file]),
      samplePath: "/usr/lib/os-release",
      starts: false,
    };
  }
  const own = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
  const entry = import.meta.url.endsWith(".ts") ? "index.ts" : "index.js";
  return {
    description: "Holdfast's own files",
    words: ["--from", own],
    samplePath: `/base/${entry}`,
    starts: false,
  };
}

/** Undefined where there is no apt, no archive, no network: the tour then shows less. */
async function orNothing<T>(work: Promise<T>, { signal }: JobOptions): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    stopIfAborted(signal);
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** The release that this machine runs, or else the stable one. */
async function fetchSystem({ cacheFolder, env, nowMs }: DemonstrationRequest, job: JobOptions): Promise<string> {
  const release = ownRelease() ?? usualRelease;
  await fetchDebian({ release, packages: [], configure: false, sshKeys: [], cacheFolder, env }, nowMs, job);
  return release;
}

/** The codename of this machine's Debian (os-release(5)); undefined elsewhere. */
function ownRelease(): string | undefined {
  if (!fs.existsSync("/etc/os-release")) return undefined;
  const text = fs.readFileSync("/etc/os-release", "utf8");
  return /^ID="?debian"?$/m.test(text) ? /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(text)?.[1] : undefined;
}

/** The packages under short names, which the tour shows. */
async function fetchFew(folder: string, job: JobOptions): Promise<readonly string[]> {
  const files = await fetchPackages(packages, { folder: path.join(folder, "packages"), ...job });
  return files.map((file, n) => {
    const short = path.join(path.dirname(file), `${packages[n]}.deb`);
    fs.renameSync(file, short);
    return short;
  });
}
