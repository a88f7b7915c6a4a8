import { allPrograms, readDefaults, type ConfigurationState } from "../programs/index.ts";
import { Shell, Unsupported } from "../shell/index.ts";
import { dependencyNames } from "./control-file.ts";
import { triggerInterests } from "./dpkg-database.ts";
import type { SystemTree } from "../system-tree.ts";
import type { UnpackedPackage } from "../unpacked-package.ts";

export interface Configured {
  /** Those whose `preinst` has not run. */
  readonly withoutPreinst: ReadonlySet<UnpackedPackage>;
  /** Commands for the time after the first boot. */
  readonly deferred: readonly string[];
  /** Why the others could not be configured here. */
  readonly reasons: ReadonlyMap<string, string>;
}

/**
 * Configures packages as far as that can be done on their files alone: runs their scripts in our own shell, all or
 * nothing for each. What cannot be followed, and whatever depends on it, is left as it was unpacked.
 */
export function configurePackages(tree: SystemTree, packages: readonly UnpackedPackage[]): Configured {
  const state: ConfigurationState = {
    tree,
    packages: new Map(packages.map((one) => [one.name, one])),
    answers: new Map(),
    triggered: new Set(),
    deferred: new Set(),
    current: undefined,
  };
  const reasons = new Map<string, string>();
  const withoutPreinst = new Set<UnpackedPackage>();
  for (const one of packages) {
    const reason = attempt(state, one, () => runPart(state, one, "preinst", ["install"]));
    if (reason === undefined) continue;
    reasons.set(one.name, reason);
    withoutPreinst.add(one);
  }
  for (const one of packages) {
    if (reasons.has(one.name)) continue;
    const waitsFor = one.controlFiles.has("postinst") ? unmetOf(one, reasons) : undefined;
    if (waitsFor !== undefined) {
      reasons.set(one.name, `waits for ${waitsFor}`);
      continue;
    }
    const reason = attempt(state, one, () => {
      readDefaults(one, state.answers);
      return runPart(state, one, "config", ["configure", ""]) || runPart(state, one, "postinst", ["configure", ""]);
    });
    if (reason === undefined) one.isConfigured = true;
    else reasons.set(one.name, reason);
  }
  runTriggers(state, packages, reasons);
  return { withoutPreinst, deferred: [...state.deferred], reasons };
}

/** Configures none of them. */
export function leavePackages(packages: readonly UnpackedPackage[]): Configured {
  return { withoutPreinst: new Set(packages), deferred: [], reasons: new Map() };
}

/** Something that it depends on and that could not be configured. */
function unmetOf({ fields }: UnpackedPackage, reasons: ReadonlyMap<string, string>): string | undefined {
  const needed = [fields.get("Pre-Depends"), fields.get("Depends")].flatMap((field) => dependencyNames(field).flat());
  return needed.find((name) => reasons.has(name));
}

/** Runs something of a package, and takes it all back where it fails; gives the reason then. */
function attempt(state: ConfigurationState, one: UnpackedPackage, work: () => number): string | undefined {
  const mark = state.tree.mark();
  const [triggered, deferred] = [new Set(state.triggered), new Set(state.deferred)];
  let reason: string;
  try {
    const status = work();
    if (status === 0) return undefined;
    reason = `its script ends with status ${status}`;
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    reason = error.message;
  }
  state.tree.revert(mark);
  restore(state.triggered, triggered);
  restore(state.deferred, deferred);
  one.isConfigured = false;
  return reason;
}

function restore(set: Set<string>, before: ReadonlySet<string>): void {
  set.clear();
  for (const value of before) set.add(value);
}

function runPart(state: ConfigurationState, one: UnpackedPackage, part: string, args: readonly string[]): number {
  const script = one.controlFiles.get(part);
  if (script === undefined) return 0;
  const text = script.toString("latin1");
  if (!/^#!\s*\/bin\/(sh|dash|bash)\b/.test(text))
    throw new Unsupported(`${part} is for ${text.split("\n", 1)[0] ?? ""}`);
  state.current = one;
  const shell = new Shell(state.tree, allPrograms(state));
  const environment = {
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
    LC_ALL: "C.UTF-8",
    INITRD: "No",
    DEBIAN_FRONTEND: "noninteractive",
    DPKG_ROOT: "",
    DPKG_ADMINDIR: "/var/lib/dpkg",
    DPKG_MAINTSCRIPT_NAME: part,
    DPKG_MAINTSCRIPT_PACKAGE: one.name,
    DPKG_MAINTSCRIPT_ARCH: one.architecture,
    DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT: "1",
  };
  for (const [name, value] of Object.entries(environment)) shell.assign(name, value, true);
  return shell.runScript(text, `/var/lib/dpkg/info/${one.infoName}.${part}`, args);
}

/** A package that waits for a trigger which it cannot be given here is left to be configured as a whole. */
function runTriggers(
  state: ConfigurationState,
  packages: readonly UnpackedPackage[],
  reasons: Map<string, string>,
): void {
  for (const one of packages) {
    const own = triggerInterests([one]).map(({ trigger }) => trigger);
    const pulled = own.filter((trigger) => state.triggered.has(trigger));
    if (pulled.length === 0 || !one.isConfigured) continue;
    const reason = attempt(state, one, () => runPart(state, one, "postinst", ["triggered", pulled.join(" ")]));
    if (reason !== undefined) reasons.set(one.name, reason);
  }
}
