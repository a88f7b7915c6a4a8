import type { Program, ProgramCall } from "../shell/index.ts";
import { Unsupported } from "../shell/index.ts";
import type { SystemTree } from "../system-tree.ts";
import { parseOptions } from "./options.ts";

const daySeconds = 86_400;
const firstSystemId = 100;
const lastSystemId = 999;
const noGroup = 65534;

/** Programs that add users and groups. */
export const accountPrograms: ReadonlyMap<string, Program> = new Map<string, Program>([
  ["addgroup", addGroup],
  ["adduser", addUser],
  ["getent", getEntry],
  ["groupadd", groupAdd],
  ["shadowconfig", shadowOn],
  ["systemd-sysusers", systemUsers],
]);

type List = "passwd" | "group";

function linesOf(tree: SystemTree, list: string): string[][] {
  if (tree.find(`/etc/${list}`) === undefined) return [];
  const lines = tree.read(`/etc/${list}`).toString("latin1").split("\n");
  return lines.filter((line) => line !== "").map((line) => line.split(":"));
}

/** The number of a user or a group, by its name or as it is. */
export function accountId(tree: SystemTree, list: List, name: string): number {
  const line = linesOf(tree, list).find(([own]) => own === name);
  if (line !== undefined) return Number(line[2]);
  if (/^\d+$/.test(name)) return Number(name);
  throw new Unsupported(`an unknown name: ${name}`);
}

function append(tree: SystemTree, list: string, line: string): void {
  const path = `/etc/${list}`;
  if (tree.find(path) === undefined) return;
  tree.write(path, Buffer.concat([tree.read(path), Buffer.from(`${line}\n`, "latin1")]));
}

function isKnown(tree: SystemTree, list: List, name: string): boolean {
  return linesOf(tree, list).some(([own]) => own === name);
}

function freeId(tree: SystemTree, lists: readonly List[], order: "up" | "down"): number {
  const used = new Set(lists.flatMap((list) => linesOf(tree, list).map((line) => Number(line[2]))));
  for (let n = 0; n <= lastSystemId - firstSystemId; n++) {
    const id = order === "up" ? firstSystemId + n : lastSystemId - n;
    if (!used.has(id)) return id;
  }
  throw new Unsupported("no number is free");
}

function newGroup(tree: SystemTree, name: string, id: number, password: string): void {
  append(tree, "group", `${name}:x:${id}:`);
  append(tree, "gshadow", `${name}:${password}::`);
}

interface NewUser {
  readonly name: string;
  readonly id: number;
  readonly group: number;
  readonly comment: string;
  readonly home: string;
  readonly shell: string;
}

function newUser(tree: SystemTree, user: NewUser, password: string): void {
  const { name, id, group, comment, home, shell } = user;
  append(tree, "passwd", `${name}:x:${id}:${group}:${comment}:${home}:${shell}`);
  append(tree, "shadow", `${name}:${password}:${Math.floor(tree.now.seconds / daySeconds)}::::::`);
}

const userOptions = ["home", "shell", "gecos", "comment", "ingroup", "gid", "uid"];

function addUser(call: ProgramCall): number {
  const { tree, args } = call;
  const { flags, values, words } = parseOptions(args, userOptions);
  const [name = "", group] = words;
  if (group !== undefined) return joinGroup(tree, name, group);
  if (!flags.has("system")) throw new Unsupported("adduser for a person");
  if (isKnown(tree, "passwd", name)) return 0;
  const home = values.get("home") ?? "/nonexistent";
  if (!flags.has("no-create-home") && home !== "/nonexistent" && tree.find(home) === undefined) {
    throw new Unsupported("adduser with a home");
  }
  const id = values.has("uid") ? Number(values.get("uid")) : freeId(tree, ["passwd"], "up");
  let groupId = noGroup;
  if (flags.has("group")) {
    if (!isKnown(tree, "group", name)) newGroup(tree, name, freeId(tree, ["group"], "up"), "!");
    groupId = accountId(tree, "group", name);
  } else if (values.has("ingroup")) groupId = accountId(tree, "group", values.get("ingroup") ?? "");
  else if (values.has("gid")) groupId = Number(values.get("gid"));
  const shell = values.get("shell") ?? "/usr/sbin/nologin";
  const comment = values.get("gecos") ?? values.get("comment") ?? "";
  newUser(tree, { name, id, group: groupId, comment, home, shell }, "!");
  return 0;
}

function joinGroup(tree: SystemTree, user: string, group: string): number {
  for (const [list, field] of [
    ["group", 3],
    ["gshadow", 3],
  ] as const) {
    const lines = linesOf(tree, list);
    if (lines.length === 0) continue;
    const joined = lines.map((line) => {
      if (line[0] !== group) return line.join(":");
      const members = new Set((line[field] ?? "").split(",").filter((one) => one !== ""));
      return [...line.slice(0, field), [...members, user].join(",")].join(":");
    });
    tree.write(`/etc/${list}`, `${joined.join("\n")}\n`);
  }
  return 0;
}

function addGroup({ tree, args }: ProgramCall): number {
  const { flags, values, words } = parseOptions(args, ["gid"]);
  const [name = ""] = words;
  if (!flags.has("system") || words.length !== 1) throw new Unsupported("addgroup for people");
  if (isKnown(tree, "group", name)) return 0;
  newGroup(tree, name, values.has("gid") ? Number(values.get("gid")) : freeId(tree, ["group"], "up"), "!");
  return 0;
}

function groupAdd({ tree, args }: ProgramCall): number {
  const { flags, values, words } = parseOptions(args, ["g", "gid"]);
  const [name = ""] = words;
  const id = values.get("g") ?? values.get("gid");
  if (isKnown(tree, "group", name)) return flags.has("f") ? 0 : 9;
  if (id === undefined && !flags.has("r") && !flags.has("system")) throw new Unsupported("groupadd for people");
  newGroup(tree, name, id === undefined ? freeId(tree, ["group"], "down") : Number(id), "!");
  return 0;
}

function getEntry({ tree, args, out }: ProgramCall): number {
  const [list = "", key] = args;
  if (list !== "passwd" && list !== "group") throw new Unsupported(`getent ${list}`);
  const found = linesOf(tree, list).filter(([name, , id]) => key === undefined || name === key || id === key);
  out(found.map((line) => `${line.join(":")}\n`).join(""));
  return found.length > 0 ? 0 : 2;
}

/** Passwords move to `shadow` and `gshadow`, which only root and the group "shadow" may read. */
function shadowOn({ tree, args }: ProgramCall): number {
  if (args[0] !== "on") throw new Unsupported("shadowconfig off");
  const day = Math.floor(tree.now.seconds / daySeconds);
  const lists = [
    ["passwd", "shadow", (name: string, password: string) => `${name}:${password}:${day}:0:99999:7:::`],
    ["group", "gshadow", (name: string, password: string) => `${name}:${password}::`],
  ] as const;
  for (const [list, shadow, format] of lists) {
    const known = new Set(linesOf(tree, shadow).map(([name]) => name));
    const lines = linesOf(tree, list);
    const added = lines
      .filter(([name]) => !known.has(name))
      .map(([name = "", password = ""]) => format(name, password));
    const before = linesOf(tree, shadow).map((line) => line.join(":"));
    tree.write(`/etc/${shadow}`, [...before, ...added].map((line) => `${line}\n`).join(""), 0o640);
    tree.change(`/etc/${shadow}`, { mode: 0o640, uid: 0, gid: accountId(tree, "group", "shadow") });
    tree.write(`/etc/${list}`, lines.map(([name, , ...rest]) => `${[name, "x", ...rest].join(":")}\n`).join(""));
  }
  return 0;
}

/** sysusers.d(5): users and groups, numbered from the top down. Those that are there stay as they are. */
function systemUsers({ tree, args }: ProgramCall): number {
  for (const file of args) {
    if (file.startsWith("-")) throw new Unsupported(`systemd-sysusers ${file}`);
    const path = file.startsWith("/") ? file : `/usr/lib/sysusers.d/${file}`;
    for (const line of tree.read(path).toString("latin1").split("\n")) addSystemLine(tree, line);
  }
  return 0;
}

function addSystemLine(tree: SystemTree, line: string): void {
  const fields = (line.match(/"[^"]*"|\S+/g) ?? []).map((field) => field.replace(/^"(.*)"$/, "$1"));
  const [kind = "", name = "", id = "-", comment = "-", home = "-", shell = "-"] = fields;
  if (kind === "" || kind.startsWith("#")) return;
  if (kind === "m") return void joinGroup(tree, name, id);
  const list = kind.startsWith("u") ? "passwd" : "group";
  if ((!kind.startsWith("u") && kind !== "g") || /%/.test(fields.join(""))) throw new Unsupported(`sysusers: ${line}`);
  if (isKnown(tree, list, name)) return;
  if (!/^(-|\d+)(:[\w-]+)?$/.test(id)) throw new Unsupported(`sysusers: ${line}`);
  const [ownId, groupOfId] = id.split(":");
  const number = ownId === "-" ? freeId(tree, ["passwd", "group"], "down") : Number(ownId);
  if (groupOfId === undefined && !isKnown(tree, "group", name)) newGroup(tree, name, number, "!*");
  if (list === "group") return;
  const group = groupOfId === undefined ? accountId(tree, "group", name) : accountId(tree, "group", groupOfId);
  const plain = { comment: comment === "-" ? "" : comment, home: home === "-" ? "/" : home };
  const wanted = shell === "-" ? "/usr/sbin/nologin" : shell;
  newUser(tree, { name, id: number, group, ...plain, shell: wanted }, "!*");
}
