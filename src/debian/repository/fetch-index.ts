import * as fs from "node:fs";
import { Failure } from "../../base/index.ts";
import { decompress } from "../../tree/index.ts";
import { downloadFile, FetchFailure, shownUrl } from "../download/index.ts";
import { contentOf, isContent } from "./cache.ts";
import type { VerifiedSuite } from "./fetch-release.ts";
import type { Fetching } from "./fetching.ts";
import type { PackageIndex } from "./package-index.ts";
import type { IndexFile } from "./release-file.ts";

/** gzip first: it is a third larger than xz, but unpacks in an eighth of the time here. */
const endings: readonly string[] = [".gz", ".xz", ""];

/** Debian's largest has 60 MB. */
const indexLimitBytes = 1024 * 1024 * 1024;

/** The Packages index of a component for an architecture; undefined where the suite has none. */
export async function fetchIndex(
  suite: VerifiedSuite,
  place: { readonly component: string; readonly architecture: string; readonly suiteNumber: number },
  fetching: Fetching,
): Promise<PackageIndex | undefined> {
  const { source, release } = suite;
  const path = `${place.component}/binary-${place.architecture}/Packages`;
  const url = `${source.url}dists/${source.suite}/${path}`;
  const ending = endings.find((one) => release.files.has(`${path}${one}`));
  const packed = release.files.get(`${path}${ending ?? ""}`);
  if (ending === undefined || packed === undefined) return undefined;
  const plain = release.files.get(path);
  for (const file of [packed, plain ?? packed]) {
    if (file.sizeBytes <= indexLimitBytes) continue;
    throw new Failure(
      "unsupported",
      `cannot read "${shownUrl(url)}": it has ${file.sizeBytes} bytes, at most ${indexLimitBytes} are read`,
    );
  }
  const content =
    (await keptIndex(url, path, suite, fetching)) ??
    (await downloadIndex({ url, path, ending, packed, plain }, suite, fetching));
  return { name: shownUrl(url), content, suiteNumber: place.suiteNumber, pin: pinOf(suite) };
}

/** apt_preferences(5): what has to be asked for by name comes after all else. */
function pinOf({ release }: VerifiedSuite): number {
  if (!release.isNotAutomatic) return 500;
  return release.isUpgradedAutomatically ? 100 : 1;
}

/** From an earlier run, or from apt: whatever of it is what the Release file says. */
async function keptIndex(
  url: string,
  path: string,
  { release }: VerifiedSuite,
  { cache }: Fetching,
): Promise<Buffer | undefined> {
  const plain = release.files.get(path);
  if (plain?.sizeBytes === 0) return Buffer.alloc(0);
  for (const file of [cache.listPath(url), cache.aptListPath(url)]) {
    for (const ending of ["", ".gz", ".xz"]) {
      const known = release.files.get(`${path}${ending}`);
      if (known === undefined || !hasSize(`${file}${ending}`, known)) continue;
      const content = contentOf(`${file}${ending}`);
      if (content !== undefined && isContent(content, known)) return unpacked(content, ending, plain, url);
    }
  }
  return undefined;
}

function hasSize(file: string, known: IndexFile): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.size === known.sizeBytes;
}

async function downloadIndex(
  wanted: {
    readonly url: string;
    readonly path: string;
    readonly ending: string;
    readonly packed: IndexFile;
    readonly plain: IndexFile | undefined;
  },
  { source, release }: VerifiedSuite,
  fetching: Fetching,
): Promise<Buffer> {
  const { url, ending, packed, plain } = wanted;
  const { transport, retry, cache, job } = fetching;
  const target = `${cache.listPath(url)}${ending}`;
  fetching.indexTally.expect(packed.sizeBytes);
  const download = (from: string): Promise<void> => {
    return downloadFile(transport, { url: from, ...packed }, target, {
      retry,
      signal: job.signal,
      onBytes: (count) => fetching.indexTally.add(count),
    });
  };
  try {
    const isByHash = source.byHash ?? release.hasByHash;
    await download(
      isByHash ? `${url.slice(0, url.lastIndexOf("/"))}/by-hash/SHA256/${packed.sha256}` : `${url}${ending}`,
    );
  } catch (error) {
    // Some mirrors leave these names out.
    if (!(error instanceof FetchFailure) || error.code !== "not-found") throw error;
    await download(`${url}${ending}`);
  }
  const content = await unpacked(fs.readFileSync(target), ending, plain, url);
  if (ending !== "" && plain !== undefined) {
    // Unpacked, the next run has it in a tenth of the time.
    cache.write(cache.listPath(url), content);
    fs.rmSync(target, { force: true });
  }
  return content;
}

async function unpacked(packed: Buffer, ending: string, plain: IndexFile | undefined, url: string): Promise<Buffer> {
  if (ending === "") return packed;
  const stream = async function* (): AsyncGenerator<Uint8Array> {
    yield packed;
  };
  const { chunks } = await decompress(stream(), shownUrl(url));
  const content = plain === undefined ? await gathered(chunks) : await filled(chunks, plain.sizeBytes);
  if (content === undefined || (plain !== undefined && !isContent(content, plain))) {
    throw new Failure(
      "mismatch",
      `cannot use "${shownUrl(url)}${ending}": it unpacks to something else than its signed Release file says`,
    );
  }
  return content;
}

/** All chunks as one; undefined where they are more than an index may have. */
async function gathered(chunks: AsyncIterable<Uint8Array>): Promise<Buffer | undefined> {
  const all: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.length;
    if (sizeBytes > indexLimitBytes) return undefined;
    all.push(Buffer.from(chunk));
  }
  return Buffer.concat(all);
}

/** All chunks as one of this size; undefined where they are more or less. */
async function filled(chunks: AsyncIterable<Uint8Array>, sizeBytes: number): Promise<Buffer | undefined> {
  const content = Buffer.allocUnsafeSlow(sizeBytes);
  let at = 0;
  for await (const chunk of chunks) {
    if (at + chunk.length > sizeBytes) return undefined;
    content.set(chunk, at);
    at += chunk.length;
  }
  return at === sizeBytes ? content : undefined;
}
