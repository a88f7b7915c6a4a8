import * as fs from "node:fs";
import { Failure } from "../../base/index.ts";
import type { AptSource } from "../apt/index.ts";
import { FetchFailure, fetchSmall, shownUrl } from "../download/index.ts";
import { verifyCleartext, verifyDetached, type GoodSignature, type VerifyOptions } from "../../openpgp/index.ts";
import { contentOf } from "./cache.ts";
import { checkSuite, isDateChecked, timeProblem } from "./check-release.ts";
import type { Fetching } from "./fetching.ts";
import { parseRelease, type ReleaseFile } from "./release-file.ts";

/** A suite whose Release file was verified. */
export interface VerifiedSuite {
  readonly source: AptSource;
  readonly release: ReleaseFile;
  /** Of the primary key; empty where apt trusts the source without a signature. */
  readonly signedBy: string;
}

/** Debian's largest is below 1 MiB. */
const releaseLimitBytes = 16 * 1024 * 1024;

interface Signed {
  readonly content: Uint8Array;
  /** Absent where the content has its signature in itself. */
  readonly signature?: Uint8Array;
  readonly modified: string | undefined;
}

/**
 * The Release file of a suite, from the archive. Where the archive cannot be reached, or gives out an older one than
 * was here before, that one; a warning then tells.
 */
export async function fetchRelease(source: AptSource, fetching: Fetching): Promise<VerifiedSuite> {
  const base = `${source.url}dists/${source.suite}/`;
  const known = knownRelease(source, base, fetching);
  let fetched: Signed | undefined;
  try {
    fetched = await fetchSigned(base, known?.modified, source.trusted === true, fetching);
  } catch (error) {
    if (!(error instanceof FetchFailure) || !error.isPassing || known === undefined) throw error;
    fetching.warn(`${error.message}; its index of ${day(known.suite.release.dateMs)} is used, which is here already`);
    warnOfTime(known.suite, fetching);
    return known.suite;
  }
  if (fetched === undefined && known !== undefined) {
    refuseWrongTime(known.suite, base, fetching);
    return known.suite;
  }
  if (fetched === undefined) throw new Failure("failed", `cannot fetch "${shownUrl(base)}InRelease": nothing came`);
  const suite = verified(source, base, fetched, fetching);
  if (known !== undefined && suite.release.dateMs < known.suite.release.dateMs) {
    const dates = `${day(suite.release.dateMs)}, older than that of ${day(known.suite.release.dateMs)}`;
    fetching.warn(`"${shownUrl(base)}" gives out an index of ${dates} which was here before; the newer one is used`);
    refuseWrongTime(known.suite, base, fetching);
    return known.suite;
  }
  refuseWrongTime(suite, base, fetching);
  keep(base, fetched, fetching);
  return suite;
}

/** InRelease, or Release with Release.gpg where there is none. Undefined where it is not newer than what is here. */
async function fetchSigned(
  base: string,
  newerThan: string | undefined,
  isTrusted: boolean,
  { transport, retry, job }: Fetching,
): Promise<Signed | undefined> {
  const options = { limitBytes: releaseLimitBytes, retry, signal: job.signal };
  try {
    return await fetchSmall(transport, `${base}InRelease`, { ...options, newerThan });
  } catch (error) {
    if (!(error instanceof FetchFailure) || error.code !== "not-found") throw error;
  }
  const release = await fetchSmall(transport, `${base}Release`, options);
  if (release === undefined) return undefined;
  try {
    const signature = await fetchSmall(transport, `${base}Release.gpg`, options);
    return { ...release, signature: signature?.content ?? new Uint8Array(0) };
  } catch (error) {
    if (error instanceof FetchFailure && error.code === "not-found") {
      if (isTrusted) return { ...release, signature: new Uint8Array(0) };
      throw new Failure("refused", `cannot trust "${shownUrl(base)}Release": it is not signed`, { cause: error });
    }
    throw error;
  }
}

/** The newest of what an earlier run and apt have kept, if its signature is good today as well. */
function knownRelease(
  source: AptSource,
  base: string,
  fetching: Fetching,
): { readonly suite: VerifiedSuite; readonly modified: string | undefined } | undefined {
  const { cache } = fetching;
  const found = [cache.listPath(base), cache.aptListPath(base)].flatMap((path) => {
    const kept = keptAt(path);
    if (kept === undefined) return [];
    try {
      return [{ suite: verified(source, base, kept, fetching), modified: kept.modified }];
    } catch (error) {
      if (error instanceof Failure) return []; // of another key, or damaged: as if it were not there
      throw error;
    }
  });
  return found.toSorted((a, b) => b.suite.release.dateMs - a.suite.release.dateMs)[0];
}

function keptAt(path: string): Signed | undefined {
  const inRelease = contentOf(`${path}InRelease`);
  if (inRelease !== undefined) return { content: inRelease, modified: modifiedOf(`${path}InRelease`) };
  const [content, signature] = [contentOf(`${path}Release`), contentOf(`${path}Release.gpg`)];
  if (content === undefined || signature === undefined) return undefined;
  return { content, signature, modified: undefined };
}

function modifiedOf(file: string): string {
  return fs.statSync(file).mtime.toUTCString();
}

/** Of a file whose server does not tell: whatever it has then is newer. */
const unknownTime = new Date(0).toUTCString();

function keep(base: string, { content, signature, modified }: Signed, { cache }: Fetching): void {
  const path = cache.listPath(base);
  const isDetached = signature !== undefined;
  cache.write(isDetached ? `${path}Release` : `${path}InRelease`, content, modified ?? unknownTime);
  if (isDetached) cache.write(`${path}Release.gpg`, signature);
  for (const old of isDetached ? ["InRelease"] : ["Release", "Release.gpg"])
    fs.rmSync(`${path}${old}`, { force: true });
}

function verified(source: AptSource, base: string, signed: Signed, fetching: Fetching): VerifiedSuite {
  const name = `${shownUrl(base)}${signed.signature === undefined ? "InRelease" : "Release"}`;
  const options = {
    keyring: fetching.keys.for(source),
    nowMs: fetching.nowMs,
    anyTime: !isDateChecked(source, fetching.configuration),
  };
  try {
    const { text, signatures } = verifySigned(signed, source.trusted === true ? undefined : options);
    const release = parseRelease(text, name);
    checkSuite(release, source, name);
    return { source, release, signedBy: signatures[0]?.primaryFingerprint ?? "" };
  } catch (error) {
    if (!(error instanceof Failure) || error.message.startsWith("cannot ")) throw error;
    throw new Failure(error.code, `cannot trust "${name}": ${error.message}`, {
      hint:
        error.code === "mismatch"
          ? "the mirror may be changing just now: try again later, or another mirror"
          : "--keyring names a file with the archive's keys",
      cause: error,
    });
  }
}

function verifySigned(
  { content, signature }: Signed,
  options: VerifyOptions | undefined,
): { readonly text: string; readonly signatures: readonly GoodSignature[] } {
  if (options === undefined) return { text: unsignedText(content), signatures: [] };
  if (signature === undefined) return verifyCleartext(content, options);
  return { text: Buffer.from(content).toString("utf8"), signatures: verifyDetached(content, signature, options) };
}

/** Of a source that apt trusts without a signature: what is between the marks of one, if there are any. */
function unsignedText(content: Uint8Array): string {
  const text = Buffer.from(content).toString("utf8");
  return /^-----BEGIN PGP SIGNED MESSAGE-----\n(?:.+\n)*\n([^]*?)-----BEGIN PGP SIGNATURE-----/.exec(text)?.[1] ?? text;
}

function refuseWrongTime({ source, release }: VerifiedSuite, base: string, { configuration, nowMs }: Fetching): void {
  const problem = timeProblem(release, source, configuration, nowMs);
  if (problem === undefined) return;
  throw new Failure("refused", `cannot use the index of "${shownUrl(base)}": ${problem}`, {
    hint: "apt's settings Acquire::Check-Valid-Until and Acquire::Check-Date say whether that counts",
  });
}

function warnOfTime({ source, release }: VerifiedSuite, { configuration, nowMs, warn }: Fetching): void {
  const problem = timeProblem(release, source, configuration, nowMs);
  if (problem !== undefined) warn(`the index of "${shownUrl(source.url)}" for ${source.suite}: ${problem}`);
}

function day(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
