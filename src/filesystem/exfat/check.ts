import type { Bitmap } from "../../bytes/index.ts";
import { firstCluster, type ClusterRun } from "../cluster-run.ts";
import type { Problem } from "../file-system.ts";
import { badCluster, firstEntries } from "./chain.ts";
import { DirectoryCheck } from "./check-directories.ts";
import { ClusterClaims } from "./cluster-claims.ts";
import { readRoot, type DirectoryBytes, type ExfatSource } from "./exfat-source.ts";
import { volumeFlags } from "./records.ts";
import type { VolumeEntries } from "./volume-entries.ts";

const percentUnknown = 0xff;

/**
 * Everything that is wrong with an exFAT file system: its boot regions, what belongs to the volume itself, every
 * directory, every chain of clusters, and the bitmap against all of them.
 */
export async function* checkExfat(source: ExfatSource, volume: VolumeEntries): AsyncGenerator<Problem> {
  yield* checkBoot(source);
  yield* checkTable(source);
  for (const message of volume.problems) yield { severity: "error", message };
  const claims = new ClusterClaims(volume.bitmap.used);
  const isWhole = yield* claimAll(source, volume, await readRoot(source), claims);
  if (isWhole) yield* checkLost(source, volume.bitmap.used, claims.claimed);
}

/** All clusters that belong to something, as far as that can be found. */
export async function claimedClusters(
  source: ExfatSource,
  volume: VolumeEntries,
  root: DirectoryBytes,
): Promise<Bitmap> {
  const claims = new ClusterClaims(volume.bitmap.used);
  const problems = claimAll(source, volume, root, claims);
  while ((await problems.next()).done !== true); // what is wrong is for the check to tell
  return claims.claimed;
}

/** Claims what belongs to anything, and tells what is wrong with that; gives whether all could be gone through. */
async function* claimAll(
  source: ExfatSource,
  volume: VolumeEntries,
  root: DirectoryBytes,
  claims: ClusterClaims,
): AsyncGenerator<Problem, boolean> {
  for (const [runs, what] of systemFiles(volume)) yield* claims.claim(runs, what);
  yield* claims.claim(root.runs, "/");
  const directories = new DirectoryCheck(source, volume.upcase, claims);
  yield* directories.run(root);
  return !directories.isTorn;
}

function* systemFiles({
  bitmap,
  upcaseRuns,
  otherBitmapRuns,
}: VolumeEntries): Generator<[readonly ClusterRun[], string]> {
  yield [bitmap.runs, "the bitmap of clusters"];
  yield [otherBitmapRuns, "the second bitmap of clusters"];
  yield [upcaseRuns, "the up-case table"];
}

function* checkBoot({ reader, layout }: ExfatSource): Generator<Problem> {
  const { sizeBytes, flags, percentInUse, problem } = layout;
  if (problem !== undefined) yield problem;
  if (sizeBytes > reader.sizeBytes) {
    yield error(`the file system takes ${sizeBytes} bytes, its device ends at ${reader.sizeBytes}`);
  }
  if ((flags & volumeFlags.dirty) !== 0) yield warning("the boot sector says that the file system was not closed");
  if ((flags & volumeFlags.mediaFailure) !== 0) yield warning("the boot sector says that its medium has failed");
  if (percentInUse > 100 && percentInUse !== percentUnknown) {
    yield warning(`the boot sector says that ${percentInUse} percent are in use`);
  }
}

async function* checkTable({ table }: ExfatSource): AsyncGenerator<Problem> {
  for (const [cluster, wanted] of firstEntries.entries()) {
    const found = await table.entry(cluster);
    if (found === wanted) continue;
    yield warning(`entry ${cluster} of the table is 0x${found.toString(16)}, not 0x${wanted.toString(16)}`);
  }
}

/** Clusters in use that belong to nothing. */
async function* checkLost({ table }: ExfatSource, used: Bitmap, claimed: Bitmap): AsyncGenerator<Problem> {
  let lost = 0;
  let bad = 0;
  for (let bit = used.nextSet(0); bit >= 0; bit = used.nextSet(bit + 1)) {
    if (claimed.has(bit)) continue;
    if ((await table.entry(firstCluster + bit)) === badCluster) bad++;
    else lost++;
  }
  if (lost > 0) yield warning(`${count(lost, "cluster is", "clusters are")} in use that belong to no file`);
  if (bad > 0) yield warning(`${count(bad, "cluster is", "clusters are")} marked bad`);
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

function error(message: string): Problem {
  return { severity: "error", message };
}

function warning(message: string): Problem {
  return { severity: "warning", message };
}
