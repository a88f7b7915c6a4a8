import { createHash } from "node:crypto";
import { formatStatus } from "./control-file.ts";
import type { SystemTree } from "../system-tree.ts";
import type { UnpackedPackage } from "../unpacked-package.ts";

const folder = "/var/lib/dpkg";

/** Writes what dpkg keeps of the packages that are in the tree, apart from `status`: lists, scripts, triggers. */
export function writePackageInfo(tree: SystemTree, packages: readonly UnpackedPackage[], architecture: string): void {
  for (const name of ["alternatives", "info", "parts", "triggers", "updates"])
    tree.makeDirectories(`${folder}/${name}`);
  tree.write(`${folder}/info/format`, "1\n");
  tree.write(`${folder}/arch`, `${architecture}\n`);
  for (const name of ["available", "diversions", "statoverride"]) {
    if (tree.find(`${folder}/${name}`) === undefined) tree.write(`${folder}/${name}`, "");
  }
  for (const one of packages) {
    const base = `${folder}/info/${one.infoName}`;
    tree.write(`${base}.list`, one.paths.map((path) => `${path}\n`).join(""));
    for (const [name, bytes] of one.controlFiles) {
      if (name === "control") continue;
      tree.write(`${base}.${name}`, bytes, isScript(name) ? 0o755 : 0o644);
    }
    if (!one.controlFiles.has("md5sums")) tree.write(`${base}.md5sums`, sumsOf(tree, one));
  }
  writeTriggers(tree, packages);
}

/** Writes `status`: packages that are configured are installed, the others only unpacked. */
export function writeStatus(tree: SystemTree, packages: readonly UnpackedPackage[]): void {
  const stanzas = packages
    .toSorted((a, b) => compare(a.name, b.name))
    .map((one) => {
      const conffiles = one.conffiles.map(({ path, md5 }) => `\n ${path} ${md5}`).join("");
      return formatStatus(
        new Map([
          ...one.fields,
          ["Status", `install ok ${one.isConfigured ? "installed" : "unpacked"}`],
          ...(conffiles === "" ? [] : [["Conffiles", conffiles] as const]),
        ]),
      );
    });
  const text = stanzas.join("");
  tree.write(`${folder}/status`, text);
  tree.write(`${folder}/status-old`, text);
}

export interface TriggerInterest {
  readonly trigger: string;
  readonly package: UnpackedPackage;
  readonly await: boolean;
}

/** What each package wants to be told of (deb-triggers(5)). */
export function triggerInterests(packages: readonly UnpackedPackage[]): TriggerInterest[] {
  return packages.flatMap((one) => {
    const lines = (one.controlFiles.get("triggers")?.toString() ?? "").split("\n");
    return lines.flatMap((line) => {
      const [, suffix = "", trigger] = /^\s*interest(-await|-noawait)?\s+(\S+)/.exec(line) ?? [];
      return trigger === undefined ? [] : [{ trigger, package: one, await: suffix !== "-noawait" }];
    });
  });
}

function writeTriggers(tree: SystemTree, packages: readonly UnpackedPackage[]): void {
  const files = new Map<string, string>();
  for (const { trigger, package: one, await: isAwaited } of triggerInterests(packages)) {
    const who = `${one.infoName}${isAwaited ? "" : "/noawait"}\n`;
    const [name, line] = trigger.startsWith("/") ? ["File", `${trigger} ${who}`] : [trigger, who];
    files.set(name, (files.get(name) ?? "") + line);
  }
  for (const [name, text] of files) tree.write(`${folder}/triggers/${name}`, text);
  tree.write(`${folder}/triggers/Unincorp`, "");
}

function sumsOf(tree: SystemTree, { paths, conffiles }: UnpackedPackage): string {
  const leftOut = new Set(conffiles.map(({ path }) => path));
  return paths
    .filter((path) => !leftOut.has(path))
    .map((path) => {
      const node = tree.find(path, false);
      if (node?.kind !== "file") return "";
      return `${createHash("md5").update(node.content).digest("hex")}  ${path.slice(1)}\n`;
    })
    .join("");
}

function isScript(name: string): boolean {
  return ["preinst", "postinst", "prerm", "postrm", "config"].includes(name);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
