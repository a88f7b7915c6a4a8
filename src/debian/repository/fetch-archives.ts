import * as crypto from "node:crypto";
import { closeSync } from "node:fs";
import * as fs from "node:fs/promises";
import { Failure, isSystemError, stopIfAborted } from "../../base/index.ts";
import { fieldOf } from "../control/index.ts";
import { createBeside, downloadFile, writeFailure, type KnownFile } from "../download/index.ts";
import { ByteTally } from "./byte-tally.ts";
import type { VerifiedSuite } from "./fetch-release.ts";
import type { Fetching } from "./fetching.ts";
import type { IndexedPackage } from "./package-index.ts";

interface Wanted extends KnownFile {
  readonly one: IndexedPackage;
  /** As apt calls it: `adduser_3.134_all.deb`. */
  readonly fileName: string;
}

/** The .deb of each package, in the cache and with the checksum that the index has: from before, from apt, or fetched. */
export async function fetchArchives(
  packages: readonly IndexedPackage[],
  suites: readonly VerifiedSuite[],
  fetching: Fetching,
): Promise<ReadonlyMap<IndexedPackage, string>> {
  const wanted = packages.map((one) => wantedFile(one, suites));
  const tally = new ByteTally("fetching packages", fetching.job);
  for (const { sizeBytes } of wanted) tally.expect(sizeBytes);
  const onBytes = (count: number): void => tally.add(count);
  const files = new Map<IndexedPackage, string>();
  // The first failure ends the others too.
  const failed = new AbortController();
  const signals = [failed.signal, ...(fetching.job.signal === undefined ? [] : [fetching.job.signal])];
  const signal = AbortSignal.any(signals);
  const queue = wanted.values();
  const work = async (): Promise<void> => {
    for (const file of queue) {
      stopIfAborted(signal);
      files.set(file.one, await fetchArchive(file, fetching, { signal, onBytes }));
    }
  };
  const workers = Array.from({ length: fetching.connections }, () => work());
  try {
    await Promise.all(workers);
  } catch (error) {
    failed.abort();
    await Promise.allSettled(workers);
    stopIfAborted(fetching.job.signal);
    throw error;
  }
  return files;
}

function wantedFile(one: IndexedPackage, suites: readonly VerifiedSuite[]): Wanted {
  const field = (name: string): string => fieldOf(one.control, name) ?? "";
  const [path, size, sha256] = [field("Filename"), field("Size"), field("SHA256").toLowerCase()];
  const isInside = path !== "" && !path.startsWith("/") && !path.split("/").includes("..");
  if (!isInside || !/^\d{1,15}$/.test(size) || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw new Failure(
      "damaged",
      `cannot read "${one.index.name}": ${one.name} has no proper Filename, Size and SHA256`,
    );
  }
  const source = suites[one.index.suiteNumber]?.source;
  const encoded = path
    .replace(/^(\.\/)+/, "")
    .split("/")
    .map(encodeURIComponent)
    .join("/")
    .replaceAll("%2B", "+");
  return {
    one,
    url: `${source?.url ?? ""}${encoded}`,
    sizeBytes: Number(size),
    sha256,
    fileName: `${one.name}_${one.version.replaceAll(":", "%3a")}_${one.architecture}.deb`,
  };
}

async function fetchArchive(
  wanted: Wanted,
  { transport, retry, cache }: Fetching,
  options: { readonly signal: AbortSignal; readonly onBytes: (count: number) => void },
): Promise<string> {
  const target = cache.packagePath(wanted.fileName, wanted.sha256);
  if (await isFile(target, wanted)) {
    options.onBytes(wanted.sizeBytes);
    return target;
  }
  const kept = cache.aptPackagePath(wanted.fileName);
  if (await isFile(kept, wanted)) {
    await copyWhole(kept, target);
    options.onBytes(wanted.sizeBytes);
    return target;
  }
  await downloadFile(transport, wanted, target, { retry, ...options });
  return target;
}

/** Whether the file is there with this size and checksum. */
async function isFile(path: string, known: KnownFile): Promise<boolean> {
  try {
    await using file = await fs.open(path, "r");
    if ((await file.stat()).size !== known.sizeBytes) return false;
    const hash = crypto.createHash("sha256");
    const buffer = Buffer.allocUnsafe(Math.min(1024 * 1024, known.sizeBytes + 1));
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return hash.digest("hex") === known.sha256;
      hash.update(buffer.subarray(0, bytesRead));
    }
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "EACCES", "EISDIR")) return false;
    throw error;
  }
}

async function copyWhole(from: string, to: string): Promise<void> {
  try {
    const beside = createBeside(to);
    closeSync(beside.fd);
    try {
      await fs.copyFile(from, beside.path, fs.constants.COPYFILE_FICLONE);
      await fs.rename(beside.path, to);
    } catch (error) {
      await fs.rm(beside.path, { force: true });
      throw error;
    }
  } catch (error) {
    throw writeFailure(to, error);
  }
}
