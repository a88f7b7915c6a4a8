import { Failure } from "../../base/index.ts";
import { readAptSources, unreadSettings, type AptSource } from "../apt/index.ts";
import { FetchFailure, shownUrl } from "../download/index.ts";
import { fetchRelease, type VerifiedSuite } from "./fetch-release.ts";
import type { Fetching } from "./fetching.ts";
import type { PackageRequest } from "./request.ts";
import { isSuiteFor, parseMirror, releaseOf, whyUnusable } from "./suite-source.ts";

/** The suites that packages of a release come from, verified: of the mirrors given, else of the machine's apt sources. */
export async function chooseSuites(request: PackageRequest, fetching: Fetching): Promise<readonly VerifiedSuite[]> {
  const { mirrors, release } = request;
  if (mirrors !== undefined && mirrors.length > 0) {
    const given = await releasesOf(
      mirrors.map((mirror) => parseMirror(mirror, release)),
      fetching,
    );
    for (const suite of given) refuseOtherRelease(suite, release);
    return given;
  }
  for (const setting of unreadSettings(fetching.configuration)) fetching.warn(setting);
  const all = readAptSources(fetching.configuration).filter((source) => isSuiteFor(source, request.architecture));
  const named = all.filter((source) => releaseOf(source.suite) === release);
  const suites =
    named.length > 0 ? await releasesOf(usable(named, fetching), fetching) : await byAlias(all, release, fetching);
  if (suites.length === 0) throw noSources(all, named, request);
  return ofOneArchive(suites, fetching);
}

function isOfRelease({ release: { codename, suite } }: VerifiedSuite, release: string): boolean {
  return [codename, suite].some((name) => releaseOf(name) === releaseOf(release));
}

function refuseOtherRelease(suite: VerifiedSuite, release: string): void {
  if (isOfRelease(suite, release)) return;
  const { url, suite: name } = suite.source;
  const { codename } = suite.release;
  throw new Failure(
    "mismatch",
    `cannot use the mirror "${shownUrl(url)}": its ${name} is of ${codename}, ${release} is needed`,
  );
}

function usable(sources: readonly AptSource[], fetching: Fetching): AptSource[] {
  return sources.filter((source) => {
    const why = whyUnusable(source);
    if (why !== undefined) fetching.warn(`apt's source ${why}`);
    else if (source.trusted === false)
      fetching.warn(`apt's source "${shownUrl(source.url)}" of ${source.origin} is not trusted`);
    return why === undefined && source.trusted !== false;
  });
}

async function releasesOf(sources: readonly AptSource[], fetching: Fetching): Promise<VerifiedSuite[]> {
  const suites = await Promise.all(joined(sources).map((source) => fetchRelease(source, fetching)));
  for (const { source, signedBy } of suites) {
    if (signedBy === "")
      fetching.warn(
        `"${shownUrl(source.url)}" is used without a signature, since apt's sources say that it is trusted`,
      );
  }
  return suites;
}

/** One source for each suite of an archive, with the components of all that name it. */
function joined(sources: readonly AptSource[]): AptSource[] {
  const bySuite = new Map<string, AptSource>();
  for (const source of sources) {
    const name = `${source.url} ${source.suite}`;
    const known = bySuite.get(name);
    const components = [...new Set([...(known?.components ?? []), ...source.components])];
    bySuite.set(name, { ...(known ?? source), components });
  }
  return [...bySuite.values()];
}

/** Sources that call the release by another name, `stable` for a codename or the other way round: their Release files tell. */
async function byAlias(sources: readonly AptSource[], release: string, fetching: Fetching): Promise<VerifiedSuite[]> {
  const usableOnes = sources.filter((source) => whyUnusable(source) === undefined && source.trusted !== false);
  const looked = await Promise.all(
    joined(usableOnes).map(async (source) => {
      try {
        return [await fetchRelease(source, fetching)];
      } catch (error) {
        // Not of this release, for all that is known: whether it can be had does not matter.
        if (error instanceof FetchFailure || (error instanceof Failure && error.code !== "interrupted")) return [];
        throw error;
      }
    }),
  );
  return looked.flat().filter((suite) => isOfRelease(suite, release));
}

/** Archives of other makers may have suites of the same name; a system is made of one archive's packages. */
function ofOneArchive(suites: readonly VerifiedSuite[], fetching: Fetching): VerifiedSuite[] {
  const origins = new Set(suites.map((suite) => suite.release.origin));
  if (origins.size < 2 || !origins.has("Debian")) return [...suites];
  return suites.filter(({ source, release }) => {
    if (release.origin === "Debian") return true;
    fetching.warn(
      `apt's source "${shownUrl(source.url)}" of ${source.origin} is not used: it is of ${release.origin || "no name"}, not of Debian`,
    );
    return false;
  });
}

function noSources(
  all: readonly AptSource[],
  named: readonly AptSource[],
  { release, architecture }: PackageRequest,
): Failure {
  const hint = "name an archive to fetch from: --mirror URL";
  const subject = `cannot find packages of "${release}"`;
  if (named.length > 0) {
    const why = named.map((source) => whyUnusable(source) ?? `"${source.url}" is not trusted`);
    return new Failure("not-found", `${subject}: ${why[0] ?? "none of apt's sources can be used"}`, { hint });
  }
  const suites = [...new Set(all.map((source) => source.suite))];
  const why =
    suites.length === 0
      ? `this machine has no apt sources for ${architecture}`
      : `the apt sources of this machine are for ${suites.join(", ")}`;
  return new Failure("not-found", `${subject}: ${why}`, { hint });
}
