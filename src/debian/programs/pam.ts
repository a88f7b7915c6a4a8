import type { ProgramCall } from "../shell/index.ts";
import { Unsupported } from "../shell/index.ts";
import type { SystemTree } from "../system-tree.ts";

interface Profile {
  readonly name: string;
  readonly fields: ReadonlyMap<string, string>;
}

const lists = ["auth", "account", "password", "session", "session-noninteractive"] as const;
const fallback = "[default=1]\t\t\tpam_permit.so";

/**
 * pam-auth-update(8): puts the modules of all profiles that are on by default into the common lists. In a new system
 * nobody has chosen otherwise.
 */
export function updatePam({ tree, args }: ProgramCall): number {
  if (args.some((word) => ["--remove", "--enable", "--disable"].includes(word)))
    throw new Unsupported("pam-auth-update");
  const profiles = readProfiles(tree);
  const enabled = profiles.filter(({ fields }) => fields.get("Default") === "yes");
  tree.makeDirectories("/var/lib/pam");
  for (const list of lists) {
    const template = tree.find(`/usr/share/pam/common-${list}`);
    if (template?.kind !== "file") throw new Unsupported("pam-auth-update without its templates");
    const kind = list.replace("-noninteractive", "");
    const isQuiet = list.endsWith("-noninteractive");
    const variable = isQuiet ? "session_nonint" : kind;
    const primary = modulesOf(enabled, { kind, isQuiet, place: "Primary" });
    const additional = modulesOf(enabled, { kind, isQuiet, place: "Additional" });
    const text = Buffer.from(template.content)
      .toString("latin1")
      .replace(`$${variable}_primary\n`, () =>
        linesFor(kind, primary.length === 0 ? [{ name: "", lines: [fallback] }] : primary),
      )
      .replace(`$${variable}_additional\n`, () => linesFor(kind, additional));
    tree.write(`/etc/pam.d/common-${list}`, Buffer.from(text, "latin1"));
    const recorded = [...(primary.length === 0 ? [{ name: "null", lines: [fallback] }] : primary), ...additional];
    const state = recorded.map(({ name, lines }) => `Module: ${name}\n${lines.map((line) => `${line}\n`).join("")}`);
    tree.write(`/var/lib/pam/${list}`, state.join(""));
  }
  tree.write("/var/lib/pam/seen", profiles.map(({ name }) => `${name}\n`).join(""));
  return 0;
}

interface Modules {
  readonly name: string;
  readonly lines: readonly string[];
}

/** The first profile of a stack has lines of its own for that place, where it has any. */
function modulesOf(
  profiles: readonly Profile[],
  { kind, isQuiet, place }: { readonly kind: string; readonly isQuiet: boolean; readonly place: string },
): Modules[] {
  const title = kind.charAt(0).toUpperCase() + kind.slice(1);
  const chosen = profiles.filter(({ fields }) => {
    if (isQuiet && fields.get("Session-Interactive-Only") === "yes") return false;
    return fields.get(`${title}-Type`) === place;
  });
  return chosen.map(({ name, fields }, n) => {
    const text = (n === 0 ? fields.get(`${title}-Initial`) : undefined) ?? fields.get(title) ?? "";
    return {
      name,
      lines: text
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== ""),
    };
  });
}

/** `end` in a line stands for the number of lines up to the one after the fallback. */
function linesFor(kind: string, modules: readonly Modules[]): string {
  const lines = modules.flatMap((one) => one.lines);
  return lines
    .map((line, n) => {
      const counted = line.replace(/\bend\b/g, String(lines.length - n));
      const isBare = line !== fallback && counted.endsWith(".so");
      return `${kind}\t${counted}${isBare ? " " : ""}\n`;
    })
    .join("");
}

/** By priority, the highest first. */
function readProfiles(tree: SystemTree): Profile[] {
  const folder = "/usr/share/pam-configs";
  const profiles = tree.names(folder).map((name): Profile => {
    const fields = new Map<string, string>();
    let key = "";
    for (const line of tree.read(`${folder}/${name}`).toString("latin1").split("\n")) {
      const [, field, value] = /^([\w-]+):\s*(.*)$/.exec(line) ?? [];
      if (field !== undefined) fields.set((key = field), value ?? "");
      else if (key !== "") fields.set(key, `${fields.get(key) ?? ""}\n${line}`);
    }
    return { name, fields };
  });
  const priority = ({ fields }: Profile): number => Number(fields.get("Priority") ?? 0);
  return profiles.sort((a, b) => priority(b) - priority(a) || (a.name > b.name ? -1 : 1));
}
