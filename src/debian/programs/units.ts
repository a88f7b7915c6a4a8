import type { ProgramCall } from "../shell/index.ts";
import { Unsupported } from "../shell/index.ts";
import type { SystemTree } from "../system-tree.ts";

const systemFolder = "/etc/systemd/system";
const helperState = "/var/lib/systemd/deb-systemd-helper-enabled";
const unitFolders = ["/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system"];

/** deb-systemd-helper(1p): enables units, and remembers what it has enabled. */
export function systemdHelper({ tree, args }: ProgramCall): number {
  const [action, ...units] = args.filter((word) => word !== "--quiet" && word !== "--user");
  if (args.includes("--user")) return action === "was-enabled" ? 0 : enableForUsers();
  switch (action) {
    case "unmask":
    case "purge":
    case "mask":
      return action === "mask" ? unsupported(action) : 0;
    case "was-enabled":
      return Number(!units.every((unit) => wasEnabled(tree, unit)));
    case "debian-installed":
      return Number(!units.every((unit) => tree.find(`${helperState}/${unit}.dsh-also`) !== undefined));
    case "enable":
    case "update-state":
      for (const unit of units) {
        const links = linksOf(tree, unit);
        tree.makeDirectories(helperState);
        tree.write(`${helperState}/${unit}.dsh-also`, links.map(({ at }) => `${at}\n`).join(""));
        if (action === "update-state") continue;
        for (const { at, target } of links) {
          setLink(tree, at, target);
          const marker = helperState + at.slice(systemFolder.length);
          tree.makeDirectories(marker.slice(0, marker.lastIndexOf("/")));
          tree.write(marker, "");
        }
      }
      return 0;
    default:
      return unsupported(action ?? "");
  }
}

/** systemctl(1) where systemd does not run: `enable`; whatever asks what runs hears that nothing does. */
export function systemctl({ tree, args }: ProgramCall): number {
  const [action, ...units] = args.filter((word) => !word.startsWith("-"));
  if (args.includes("--global") || args.includes("--user")) return unsupported("systemctl --global");
  if (action === "is-active") return 3;
  if (action === "is-enabled") return 1;
  if (["daemon-reload", "try-restart", "restart", "start", "stop", "daemon-reexec"].includes(action ?? "")) return 0;
  if (action !== "enable") return unsupported(`systemctl ${action ?? ""}`);
  for (const unit of units) for (const { at, target } of linksOf(tree, unit)) setLink(tree, at, target);
  return 0;
}

function unsupported(what: string): never {
  throw new Unsupported(what);
}

/** Units of users are enabled for all of them, by links that nothing here needs. */
function enableForUsers(): never {
  return unsupported("units of users");
}

function wasEnabled(tree: SystemTree, unit: string): boolean {
  const state = `${helperState}/${unit}.dsh-also`;
  if (tree.find(state) === undefined) return true;
  const links = tree.read(state).toString().split("\n");
  return links.every((at) => at === "" || tree.find(helperState + at.slice(systemFolder.length), false) !== undefined);
}

interface UnitLink {
  readonly at: string;
  readonly target: string;
}

/** The links that `[Install]` asks for: aliases, then those that make others want it. */
function linksOf(tree: SystemTree, unit: string, seen = new Set<string>()): UnitLink[] {
  if (seen.has(unit)) return [];
  seen.add(unit);
  const template = unit.replace(/@[^.]+\./, "@.");
  const folder = unitFolders.find((one) => tree.find(`${one}/${template}`)?.kind === "file");
  if (folder === undefined) return [];
  const text = tree.read(`${folder}/${template}`).toString("latin1");
  const install = /^\[Install\]\n((?:(?!\[).*\n?)*)/m.exec(text.replace(/\\\n/g, " "))?.[1] ?? "";
  const values = (key: string): string[] => {
    return [...install.matchAll(new RegExp(`^${key}\\s*=(.*)$`, "gm"))].flatMap(([, list = ""]) => {
      return list.split(/\s+/).filter((word) => word !== "");
    });
  };
  const instance = values("DefaultInstance")[0];
  const name = unit.includes("@.") && instance !== undefined ? unit.replace("@.", `@${instance}.`) : unit;
  const target = `/lib/systemd/system/${template}`;
  return [
    ...values("Alias").map((alias) => ({ at: `${systemFolder}/${alias}`, target })),
    ...values("WantedBy").map((other) => ({ at: `${systemFolder}/${other}.wants/${name}`, target })),
    ...values("RequiredBy").map((other) => ({ at: `${systemFolder}/${other}.requires/${name}`, target })),
    ...values("Also").flatMap((other) => linksOf(tree, other, seen)),
  ];
}

function setLink(tree: SystemTree, at: string, target: string): void {
  if (tree.find(at, false) !== undefined) return;
  tree.makeDirectories(at.slice(0, at.lastIndexOf("/")));
  tree.symlink(target, at);
}
