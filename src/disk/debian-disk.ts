import { Failure, type JobOptions } from "../base/index.ts";
import {
  fetchPackages,
  makeSystem,
  type ChosenPackages,
  type ChosenSuite,
  type DebianPackage,
  type MadeSystem,
} from "../debian/index.ts";
import type { Timestamp } from "../tree/index.ts";
import type { DebianRequest } from "./request.ts";

/** What a machine needs beyond Debian's required packages to be of use: an init, a network, names, the time. */
const usualPackages =
  "apt usr-is-merged systemd-sysv udev dbus libpam-systemd systemd-resolved systemd-timesyncd iproute2 iputils-ping netbase less nano klibc-utils".split(
    " ",
  );
const usualKernel = "linux-image-cloud-amd64";
const architecture = "amd64";

/** What the rest of the disk says of itself. */
export interface DebianPlace {
  readonly rootUuid: string;
  /** As fstab names it. */
  readonly efiPartition?: string;
  readonly now: Timestamp;
  readonly nowMs: number;
}

/** Fetches the packages that a system is made of, to have them there when it is made. */
export async function fetchDebian(request: DebianRequest, nowMs: number, job: JobOptions): Promise<ChosenPackages> {
  const { release, mirrors, cacheFolder, env } = request;
  const include = wantedBy(request);
  return await fetchPackages(
    {
      release,
      architecture,
      include,
      priorities: ["required"],
      ...(mirrors === undefined ? {} : { mirrors }),
      cacheFolder,
      env,
      nowMs,
    },
    job,
  );
}

function wantedBy({ kernel = usualKernel, packages, sshKeys }: DebianRequest): readonly string[] {
  return [...usualPackages, kernel, ...packages, ...(sshKeys.length > 0 ? ["openssh-server"] : [])];
}

/** Fetches a release's packages and makes the system of them that a disk is to hold. */
export async function makeDebian(request: DebianRequest, place: DebianPlace, job: JobOptions): Promise<MadeSystem> {
  const { packages, suites, warnings } = await fetchDebian(request, place.nowMs, job);
  refuseWithoutKernel(packages);
  const made = await makeSystem(
    {
      packages,
      architecture,
      wanted: new Set([...wantedBy(request), ...packages.filter(isRequired).map(({ name }) => name)]),
      beforehand: request.configure,
      now: place.now,
      settings: {
        hostname: hostnameOf(request),
        rootUuid: place.rootUuid,
        ...(place.efiPartition === undefined ? {} : { efiPartition: place.efiPartition }),
        ...(request.rootPasswordHash === undefined ? {} : { rootPasswordHash: request.rootPasswordHash }),
        sshKeys: request.sshKeys,
        sources: sourcesOf(suites),
      },
    },
    job,
  );
  return { ...made, warnings: [...warnings, ...made.warnings, ...firstStartNotes(request, made)] };
}

/** Before anything is unpacked. */
function refuseWithoutKernel(packages: readonly DebianPackage[]): void {
  if (packages.some(({ name }) => name.startsWith("linux-image-"))) return;
  throw new Failure("not-found", "cannot make a system that starts: none of its packages has a kernel", {
    hint: "name one: --kernel linux-image-amd64",
  });
}

/** Says what takes long when the system first starts, and why. */
function firstStartNotes({ configure }: DebianRequest, { unconfigured }: MadeSystem): string[] {
  const [first, ...others] = unconfigured;
  if (configure || first === undefined) return [];
  const which = others.length === 0 ? `"${first.name}" is` : `"${first.name}" and ${others.length} more packages are`;
  return [`${which} configured when the system first starts, which takes longer: ${first.reason}`];
}

function isRequired({ priority, essential }: { readonly priority: string; readonly essential: boolean }): boolean {
  return essential || priority === "required";
}

function hostnameOf({ hostname = "debian" }: DebianRequest): string {
  // hostname(7)
  if (/^(?!-)[a-zA-Z0-9-]{1,63}(?<!-)$/.test(hostname)) return hostname;
  throw new Failure("usage", `cannot call the machine "${hostname}": a name has letters, digits and -, at most 63`);
}

/** Suites of one archive are one source. */
function sourcesOf(suites: readonly ChosenSuite[]): { uri: string; suites: string[]; components: readonly string[] }[] {
  const sources: { uri: string; suites: string[]; components: readonly string[] }[] = [];
  for (const { url, suite, components } of suites) {
    const same = sources.find((one) => one.uri === url && one.components.join(" ") === components.join(" "));
    if (same === undefined) sources.push({ uri: url, suites: [suite], components });
    else same.suites.push(suite);
  }
  return sources;
}
