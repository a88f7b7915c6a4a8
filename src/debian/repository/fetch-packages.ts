import { Failure, stopIfAborted, type JobOptions } from "../../base/index.ts";
import { AptConfiguration, findLogin, proxyFor, readLogins } from "../apt/index.ts";
import { fieldOf } from "../control/index.ts";
import { shownUrl, Transport } from "../download/index.ts";
import { ByteTally } from "./byte-tally.ts";
import { Cache, contentOf } from "./cache.ts";
import { chooseSuites } from "./choose-suites.ts";
import { fetchArchives } from "./fetch-archives.ts";
import { fetchIndex } from "./fetch-index.ts";
import type { VerifiedSuite } from "./fetch-release.ts";
import type { Fetching } from "./fetching.ts";
import { choosePackages } from "./choose-packages.ts";
import type { IndexedPackage, PackageIndex } from "./package-index.ts";
import type {
  ChosenPackages,
  ChosenSuite,
  DebianPackage,
  PackagePlan,
  PackageRequest,
  PlannedPackage,
} from "./request.ts";
import { TrustedKeys } from "./trusted-keys.ts";

const connections = 5;
const defaultRetries = 3;
const firstRetryDelayMs = 1000;
const defaultTimeoutSeconds = 30;

/**
 * Chooses the packages of a release that were asked for with all that they depend on, from indexes that the archive has
 * signed, and fetches them into the cache. Whatever cannot be verified ends it.
 */
export async function fetchPackages(request: PackageRequest, job: JobOptions = {}): Promise<ChosenPackages> {
  return withFetching(request, job, async (fetching) => {
    const { packages, suites } = await choose(request, fetching);
    const files = await fetchArchives(packages, suites, fetching);
    return { packages: packages.map((one) => asPackage(one, files.get(one) ?? "")), suites: suites.map(asSuite) };
  });
}

/** What `fetchPackages` would choose and fetch; only the indexes are fetched. */
export async function planPackages(request: PackageRequest, job: JobOptions = {}): Promise<PackagePlan> {
  return withFetching(request, job, async (fetching) => {
    const { packages, suites } = await choose(request, fetching);
    return { packages: packages.map(asPlanned), suites: suites.map(asSuite) };
  });
}

async function withFetching<T>(
  request: PackageRequest,
  job: JobOptions,
  work: (fetching: Fetching) => Promise<T>,
): Promise<T & { readonly warnings: readonly string[] }> {
  const configuration = AptConfiguration.read(request.env);
  const warnings = new Set<string>();
  const warn = (text: string): void => void warnings.add(text);
  const logins = readLogins(configuration);
  await using transport = new Transport({
    proxyFor: (url) => proxyFor(url, configuration, request.env),
    credentialsFor: (url) => findLogin(logins, url),
    certificateAuthorities: contentOf(configuration.get("Acquire::https::CaInfo") ?? ""),
    idleTimeoutMs: (configuration.count("Acquire::http::Timeout") ?? defaultTimeoutSeconds) * 1000,
    connections,
  });
  const ended = new AbortController();
  const signal = AbortSignal.any([ended.signal, ...(job.signal === undefined ? [] : [job.signal])]);
  const fetching: Fetching = {
    configuration,
    transport,
    retry: {
      retries: configuration.count("Acquire::Retries") ?? defaultRetries,
      delayMs: configuration.flag("Acquire::Retries::Delay") === false ? 0 : firstRetryDelayMs,
    },
    connections,
    cache: Cache.open(request.cacheFolder, configuration, request.nowMs),
    keys: new TrustedKeys(configuration, request.keyrings, warn),
    nowMs: request.nowMs,
    job: { ...job, signal },
    indexTally: new ByteTally("fetching indexes", job),
    warn,
  };
  try {
    const done = await work(fetching);
    return { ...done, warnings: [...warnings] };
  } finally {
    ended.abort(); // what still runs where one thing has failed
  }
}

async function choose(
  request: PackageRequest,
  fetching: Fetching,
): Promise<{ readonly packages: readonly IndexedPackage[]; readonly suites: readonly VerifiedSuite[] }> {
  const suites = await chooseSuites(request, fetching);
  const indexes = await fetchIndexes(suites, request, fetching);
  stopIfAborted(fetching.job.signal);
  return { packages: choosePackages(indexes, request), suites };
}

async function fetchIndexes(
  suites: readonly VerifiedSuite[],
  { architecture, release }: PackageRequest,
  fetching: Fetching,
): Promise<readonly PackageIndex[]> {
  const found = suites.flatMap((suite, suiteNumber) => {
    const architectures = [architecture, ...(suite.release.hasIndexOfAll ? ["all"] : [])];
    return suite.source.components.map(async (component) => {
      const places = architectures.map((one) => ({ component, architecture: one, suiteNumber }));
      const all = await Promise.all(places.map((place) => fetchIndex(suite, place, fetching)));
      const present = all.filter((index) => index !== undefined);
      const { url, suite: name } = suite.source;
      if (present.length === 0) fetching.warn(`"${shownUrl(url)}" has no ${component} for ${architecture} in ${name}`);
      return present;
    });
  });
  const indexes = (await Promise.all(found)).flat();
  if (indexes.length > 0) return indexes;
  throw new Failure("not-found", `cannot find packages of "${release}" for ${architecture}: these archives have none`, {
    hint: "are the architecture and the components (main, contrib, …) right?",
  });
}

function asPackage(one: IndexedPackage, file: string): DebianPackage {
  return {
    name: one.name,
    version: one.version,
    architecture: one.architecture,
    essential: one.isEssential,
    priority: one.priority,
    section: fieldOf(one.control, "Section") ?? "",
    control: one.control,
    file,
  };
}

function asPlanned(one: IndexedPackage): PlannedPackage {
  const { name, version, architecture } = one;
  return { name, version, architecture, sizeBytes: Number(fieldOf(one.control, "Size") ?? 0) };
}

function asSuite({ source, release, signedBy }: VerifiedSuite): ChosenSuite {
  return {
    url: shownUrl(source.url),
    suite: source.suite,
    components: source.components,
    codename: release.codename,
    signedBy,
  };
}
