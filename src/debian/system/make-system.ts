import * as fs from "node:fs";
import { Failure, systemReason, type JobOptions } from "../../base/index.ts";
import type { Timestamp } from "../../tree/index.ts";
import type { DebianPackage } from "../repository/index.ts";
import { writePackageInfo, writeStatus } from "./dpkg-database.ts";
import { configurePackages, leavePackages } from "./configure.ts";
import { leaveToFirstBoot } from "./first-boot.ts";
import { makeInitrd } from "./initrd.ts";
import { leaveForLater, makeHostKeys } from "./later.ts";
import { addMenuHook } from "./menu-hook.ts";
import { KernelModules } from "./kernel-modules.ts";
import { readPackages } from "./read-packages.ts";
import { writeRootPassword, writeSettings, type SystemSettings } from "./system-files.ts";
import { SystemTree } from "../system-tree.ts";
import type { UnpackedPackage } from "../unpacked-package.ts";
import { mergeUsr, Unpacker } from "./unpack.ts";

export interface SystemRequest {
  /** Every package of the system, a kernel and an init among them, each after what it depends on. */
  readonly packages: readonly DebianPackage[];
  readonly architecture: string;
  /** Names of those that were asked for; apt may remove the others once nothing needs them. */
  readonly wanted: ReadonlySet<string>;
  readonly settings: SystemSettings;
  /** Its first boot is done before it is used, and only configures it. */
  readonly beforehand: boolean;
  /** Leave every package to the first boot, also those that could be configured here. */
  readonly leaveAll?: boolean;
  /** The time that new files are given. */
  readonly now: Timestamp;
}

export interface MadeSystem {
  readonly tree: SystemTree;
  /** Packages that the first boot has to configure, and why. */
  readonly unconfigured: readonly { readonly name: string; readonly reason: string }[];
  readonly warnings: readonly string[];
}

/** Puts a Debian system together from its packages: all its files, and dpkg's records of them. Runs none of its programs. */
export async function makeSystem(request: SystemRequest, job: JobOptions = {}): Promise<MadeSystem> {
  const tree = new SystemTree(request.now);
  const { packages, warnings } = await unpackAll(tree, request, job);
  writeSettings(tree, request.settings);
  writePackageInfo(tree, packages, request.architecture);
  await writeKernelFiles(tree);
  addMenuHook(tree);
  writeAutomaticMarks(tree, packages, request);
  const { withoutPreinst, deferred, reasons } =
    request.leaveAll === true ? leavePackages(packages) : configurePackages(tree, packages);
  writeRootPassword(tree, request.settings.rootPasswordHash);
  const unconfigured = packages.filter((one) => !one.isConfigured);
  const keys = deferred.filter((command) => command === makeHostKeys);
  const commands = deferred.filter((command) => command !== makeHostKeys);
  if (request.beforehand) {
    leaveToFirstBoot(tree, unconfigured, { withPreinst: withoutPreinst, beforehand: commands });
  } else if (unconfigured.length > 0) leaveToFirstBoot(tree, unconfigured, { withPreinst: withoutPreinst });
  leaveForLater(tree, request.beforehand ? keys : deferred);
  writeStatus(tree, packages);
  tree.settle();
  return { tree, unconfigured: unconfigured.map(({ name }) => ({ name, reason: reasons.get(name) ?? "" })), warnings };
}

async function unpackAll(
  tree: SystemTree,
  { packages, architecture }: SystemRequest,
  job: JobOptions,
): Promise<{ readonly packages: readonly UnpackedPackage[]; readonly warnings: readonly string[] }> {
  // Folders are as the first package has them that comes with them: those of base-files are what they should be.
  const ordered = packages.toSorted((a, b) => rankOf(a) - rankOf(b) || (a.name < b.name ? -1 : 1));
  const contents = await readPackages(
    ordered.map(({ file }) => ({ path: file, sizeBytes: sizeOf(file) })),
    job,
  );
  mergeUsr(tree, architecture);
  const unpacker = new Unpacker(tree);
  const unpacked: UnpackedPackage[] = [];
  for (const [n, source] of ordered.entries()) {
    const own = contents[n];
    if (own !== undefined) unpacked.push(await unpacker.add(source, own));
  }
  const places = new Map(packages.map(({ name }, n) => [name, n]));
  unpacked.sort((a, b) => (places.get(a.name) ?? 0) - (places.get(b.name) ?? 0));
  return { packages: unpacked, warnings: unpacker.warnings };
}

function rankOf({ name }: DebianPackage): number {
  return name === "base-files" ? 0 : 1;
}

function sizeOf(file: string): number {
  try {
    return fs.statSync(file).size;
  } catch (error) {
    throw new Failure("not-found", `cannot read "${file}": ${systemReason(error)}`, { cause: error });
  }
}

/** For every kernel: the lists of its modules, and an initrd under the name where the boot menu looks for it. */
async function writeKernelFiles(tree: SystemTree): Promise<void> {
  const kernels =
    tree.find("/boot") === undefined ? [] : tree.names("/boot").filter((name) => name.startsWith("vmlinuz-"));
  if (kernels.length === 0) {
    throw new Failure("not-found", "cannot make a system that starts: none of its packages has a kernel", {
      hint: "name one: --kernel linux-image-amd64",
    });
  }
  for (const kernel of kernels) {
    const version = kernel.slice("vmlinuz-".length);
    const modules = await KernelModules.open(tree, version);
    modules.writeLists();
    tree.write(`/boot/initrd.img-${version}`, await makeInitrd(tree, modules));
  }
}

/** apt's marks of what came as a dependency only. */
function writeAutomaticMarks(
  tree: SystemTree,
  packages: readonly UnpackedPackage[],
  { wanted, architecture }: SystemRequest,
): void {
  const automatic = packages.filter(({ name }) => !wanted.has(name));
  const stanzas = automatic.map(({ name, architecture: own }) => {
    return `Package: ${name}\nArchitecture: ${own === "all" ? architecture : own}\nAuto-Installed: 1\n\n`;
  });
  tree.makeDirectories("/var/lib/apt");
  tree.write("/var/lib/apt/extended_states", stanzas.join(""));
}
