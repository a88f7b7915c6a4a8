import type { ProgramCall } from "../shell/index.ts";
import { Unsupported } from "../shell/index.ts";
import type { SystemTree } from "../system-tree.ts";

/** Where units lie, where they are enabled, and where that is remembered: for the system, or for all its users. */
interface Place {
  readonly enabled: string;
  readonly state: string;
  readonly units: readonly string[];
  /** What links say. */
  readonly target: string;
}

const forSystem: Place = {
  enabled: "/etc/systemd/system",
  state: "/var/lib/systemd/deb-systemd-helper-enabled",
  units: ["/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system"],
  target: "/lib/systemd/system",
};
const forUsers: Place = {
  enabled: "/etc/systemd/user",
  state: "/var/lib/systemd/deb-systemd-user-helper-enabled",
  units: ["/etc/systemd/user", "/usr/lib/systemd/user"],
  target: "/usr/lib/systemd/user",
};

/** deb-systemd-helper(1p): enables units, and remembers what it has enabled. */
export function systemdHelper({ tree, args }: ProgramCall): number {
  const [action, ...units] = args.filter((word) => word !== "--quiet" && word !== "--user");
  const place = args.includes("--user") ? forUsers : forSystem;
  switch (action) {
    case "unmask":
    case "purge":
    case "mask":
      return action === "mask" ? unsupported(action) : 0;
    case "was-enabled":
      return Number(!units.every((unit) => wasEnabled(tree, place, unit)));
    case "debian-installed":
      return Number(!units.every((unit) => tree.find(`${place.state}/${unit}.dsh-also`) !== undefined));
    case "enable":
    case "update-state":
      for (const unit of units) {
        const links = linksOf(tree, place, unit);
        tree.makeDirectories(place.state);
        tree.write(`${place.state}/${unit}.dsh-also`, links.map(({ at }) => `${at}\n`).join(""));
        if (action === "update-state") continue;
        for (const { at, target } of links) {
          setLink(tree, at, target);
          const marker = place.state + at.slice(place.enabled.length);
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
  for (const unit of units) for (const { at, target } of linksOf(tree, forSystem, unit)) setLink(tree, at, target);
  return 0;
}

function unsupported(what: string): never {
  throw new Unsupported(what);
}

function wasEnabled(tree: SystemTree, { state: folder, enabled }: Place, unit: string): boolean {
  const state = `${folder}/${unit}.dsh-also`;
  if (tree.find(state) === undefined) return true;
  const links = tree.read(state).toString().split("\n");
  return links.every((at) => at === "" || tree.find(folder + at.slice(enabled.length), false) !== undefined);
}

interface UnitLink {
  readonly at: string;
  readonly target: string;
}

/** The links that `[Install]` asks for: aliases, then those that make others want it. */
function linksOf(tree: SystemTree, place: Place, unit: string, seen = new Set<string>()): UnitLink[] {
  if (seen.has(unit)) return [];
  seen.add(unit);
  const template = unit.replace(/@[^.]+\./, "@.");
  const folder = place.units.find((one) => tree.find(`${one}/${template}`)?.kind === "file");
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
  const target = `${place.target}/${template}`;
  return [
    ...values("Alias").map((alias) => ({ at: `${place.enabled}/${alias}`, target })),
    ...values("WantedBy").map((other) => ({ at: `${place.enabled}/${other}.wants/${name}`, target })),
    ...values("RequiredBy").map((other) => ({ at: `${place.enabled}/${other}.requires/${name}`, target })),
    ...values("Also").flatMap((other) => linksOf(tree, place, other, seen)),
  ];
}

function setLink(tree: SystemTree, at: string, target: string): void {
  if (tree.find(at, false) !== undefined) return;
  tree.makeDirectories(at.slice(0, at.lastIndexOf("/")));
  tree.symlink(target, at);
}
