import type { Program, ProgramCall } from "../shell/index.ts";
import { Unsupported } from "../shell/index.ts";
import type { Node } from "../system-tree.ts";
import { accountId } from "./accounts.ts";
import { parseOptions } from "./options.ts";

const fileTypeMask = 0o7777;

/** Programs of coreutils that change files. */
export const filePrograms: ReadonlyMap<string, Program> = new Map<string, Program>([
  ["basename", ({ args: [path = "", suffix = ""], out }) => (out(`${baseName(path, suffix)}\n`), 0)],
  ["chgrp", (call) => changeOwner(call, true)],
  ["chmod", changeMode],
  ["chown", (call) => changeOwner(call, false)],
  ["cmp", compareFiles],
  ["cp", copy],
  ["dirname", ({ args: [path = ""], out }) => (out(`${folderName(path)}\n`), 0)],
  ["dpkg-realpath", realPath],
  ["install", install],
  ["ln", link],
  ["mkdir", makeFolders],
  ["mktemp", makeTemporary],
  ["mv", move],
  ["readlink", readLink],
  ["realpath", realPath],
  ["rm", remove],
  ["rmdir", removeFolders],
  ["setcap", setCapabilities],
  ["getcap", () => 0],
  ["stat", showFacts],
  ["sync", () => 0],
  ["touch", touch],
]);

function baseName(path: string, suffix: string): string {
  const name = path.replace(/\/+$/, "").split("/").at(-1) ?? "";
  return name !== suffix && name.endsWith(suffix) ? name.slice(0, name.length - suffix.length) : name;
}

function folderName(path: string): string {
  const folder = path.replace(/\/+$/, "").replace(/\/?[^/]*$/, "");
  if (folder !== "") return folder;
  return path.startsWith("/") ? "/" : ".";
}

/** Where a file comes to lie that is put into a folder or under a name. */
function targetOf({ shell, tree }: ProgramCall, from: string, to: string): string {
  const path = shell.path(to);
  return tree.find(path)?.kind === "directory" ? `${path}/${baseName(from, "")}` : path;
}

function changeOwner({ shell, tree, args }: ProgramCall, isGroup: boolean): number {
  const { flags, values, words } = parseOptions(args);
  const reference = values.get("reference");
  const [owner = "", ...paths] = reference === undefined ? words : ["", ...words];
  if (flags.has("R")) throw new Unsupported("chown -R");
  const [user, group] = isGroup ? ["", owner] : owner.split(/[:.]/);
  const change: { uid?: number; gid?: number } = {};
  if (reference !== undefined) {
    const { uid, gid } = tree.get(shell.path(reference));
    Object.assign(change, { uid, gid });
  }
  if (user !== undefined && user !== "") change.uid = accountId(tree, "passwd", user);
  if (group !== undefined && group !== "") change.gid = accountId(tree, "group", group);
  for (const path of paths) {
    const node = tree.get(shell.path(path), !flags.has("h"));
    // The kernel takes set-id bits away with the owner.
    const mode = node.kind === "file" ? node.mode & ~0o6000 : node.mode;
    tree.change(shell.path(path), { ...change, mode }, !flags.has("h"));
  }
  return 0;
}

function changeMode({ shell, tree, args }: ProgramCall): number {
  const reference = args.find((word) => word.startsWith("--reference="))?.slice("--reference=".length);
  const words = args.filter((word) => !/^(--reference=.*|-f|--quiet|--silent|--)$/.test(word));
  if (words.some((word) => /^-[RcvR]/.test(word))) throw new Unsupported("chmod -R");
  const [mode = "", ...paths] = reference === undefined ? words : ["", ...words];
  for (const path of paths) {
    const node = tree.get(shell.path(path));
    const wanted = reference === undefined ? modeFrom(mode, node.mode) : tree.get(shell.path(reference)).mode;
    tree.change(shell.path(path), { mode: wanted });
  }
  return 0;
}

function modeFrom(text: string, before: number): number {
  if (/^[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  let mode = before;
  for (const clause of text.split(",")) {
    const [, who = "", operator = "", rights = ""] = /^([ugoa]*)([-+=])([rwxst]*)$/.exec(clause) ?? [];
    if (operator === "") throw new Unsupported(`chmod ${text}`);
    const all = who === "" || who.includes("a");
    let bits = 0;
    let reach = 0;
    for (const [name, shift] of [
      ["u", 6],
      ["g", 3],
      ["o", 0],
    ] as const) {
      if (!all && !who.includes(name)) continue;
      reach |= 0o7 << shift;
      for (const [right, value] of [
        ["r", 4],
        ["w", 2],
        ["x", 1],
      ] as const)
        if (rights.includes(right)) bits |= value << shift;
      if (rights.includes("s") && name !== "o") bits |= name === "u" ? 0o4000 : 0o2000;
    }
    if (rights.includes("t")) bits |= 0o1000;
    if (operator === "+") mode |= bits;
    else if (operator === "-") mode &= ~bits;
    else mode = (mode & ~reach) | bits;
  }
  return mode & fileTypeMask;
}

function compareFiles({ shell, tree, args }: ProgramCall): number {
  const [left = "", right = ""] = args.filter((word) => !word.startsWith("-"));
  return Number(!tree.read(shell.path(left)).equals(tree.read(shell.path(right))));
}

function copy(call: ProgramCall): number {
  const { shell, tree, args } = call;
  const { flags, words } = parseOptions(args);
  const sources = words.slice(0, -1);
  const to = words.at(-1) ?? "";
  const keepsAll = flags.has("a") || flags.has("p") || flags.has("archive") || flags.has("preserve");
  const keepsLinks = flags.has("a") || flags.has("d") || flags.has("P");
  for (const from of sources) {
    const node = tree.get(shell.path(from), !keepsLinks);
    const target = targetOf(call, from, to);
    if (node.kind === "directory") throw new Unsupported("cp of a folder");
    if (flags.has("n") && tree.find(target) !== undefined) continue;
    const { mode, uid, gid, modified } = node;
    const fresh = { mode: mode & ~shell.umask & 0o777, uid: 0, gid: 0, modified: tree.now };
    const existing = tree.find(target);
    if (node.kind === "file" && existing?.kind === "file" && !keepsAll) {
      tree.write(target, node.content);
      continue;
    }
    const real = existing?.kind === "file" && !keepsLinks ? tree.realPath(target) : target;
    tree.put(real, { ...node, ...(keepsAll ? { mode, uid, gid, modified } : fresh) });
  }
  return 0;
}

function install(call: ProgramCall): number {
  const { shell, tree, args } = call;
  const { flags, values, words } = parseOptions(args, ["m", "o", "g", "mode", "owner", "group"]);
  const mode = Number.parseInt(values.get("m") ?? values.get("mode") ?? "755", 8);
  const user = values.get("o") ?? values.get("owner");
  const group = values.get("g") ?? values.get("group");
  const owner = {
    uid: user === undefined ? 0 : accountId(tree, "passwd", user),
    gid: group === undefined ? 0 : accountId(tree, "group", group),
  };
  if (flags.has("d")) {
    for (const path of words) {
      tree.makeDirectories(shell.path(path));
      tree.change(shell.path(path), { mode, ...owner });
    }
    return 0;
  }
  const to = words.at(-1) ?? "";
  for (const from of words.slice(0, -1)) {
    const target = targetOf(call, from, to);
    if (flags.has("D")) tree.makeDirectories(folderName(target));
    tree.write(target, tree.read(shell.path(from)), mode);
    tree.change(target, { mode, ...owner });
  }
  return 0;
}

function link(call: ProgramCall): number {
  const { shell, tree, args } = call;
  const { flags, words } = parseOptions(args);
  const [from = "", to = baseName(from, "")] = words;
  const isPlain = flags.has("n") || flags.has("T");
  const target = isPlain ? shell.path(to) : targetOf(call, from, to);
  const existing = tree.find(target, false);
  if (existing !== undefined) {
    if (!flags.has("f") || existing.kind === "directory") return 1;
    tree.remove(target);
  }
  if (flags.has("r")) throw new Unsupported("ln -r");
  if (flags.has("s") || flags.has("symbolic")) tree.symlink(from, target);
  else tree.hardLink(shell.path(from), target);
  return 0;
}

function makeFolders({ shell, tree, args }: ProgramCall): number {
  const { flags, values, words } = parseOptions(args, ["m", "mode"]);
  const text = values.get("m") ?? values.get("mode");
  for (const word of words) {
    const path = shell.path(word);
    if (flags.has("p") || flags.has("parents")) {
      const isThere = tree.find(path) !== undefined;
      tree.makeDirectories(path, 0o777 & ~shell.umask);
      if (isThere) continue;
    } else tree.makeDirectory(path, 0o777 & ~shell.umask);
    if (text !== undefined) tree.change(path, { mode: modeFrom(text, 0) });
  }
  return 0;
}

function makeTemporary({ tree, args, out }: ProgramCall): number {
  const { flags } = parseOptions(args, ["p", "t"]);
  let n = 0;
  while (tree.find(`/tmp/tmp.${n}`) !== undefined) n++;
  if (flags.has("d")) tree.makeDirectory(`/tmp/tmp.${n}`, 0o700);
  else tree.write(`/tmp/tmp.${n}`, "", 0o600);
  out(`/tmp/tmp.${n}\n`);
  return 0;
}

function move(call: ProgramCall): number {
  const { shell, tree, args } = call;
  const { flags, words } = parseOptions(args);
  const to = words.at(-1) ?? "";
  for (const from of words.slice(0, -1)) {
    const target = flags.has("T") ? shell.path(to) : targetOf(call, from, to);
    const isThere = tree.find(target, false) !== undefined;
    if (isThere && (flags.has("n") || flags.has("no-clobber"))) continue;
    tree.rename(shell.path(from), target);
  }
  return 0;
}

function readLink({ shell, tree, args, out }: ProgramCall): number {
  const { flags, words } = parseOptions(args);
  const path = shell.path(words[0] ?? "");
  if (["f", "e", "m"].some((flag) => flags.has(flag))) {
    if (flags.has("e") && tree.find(path) === undefined) return 1;
    out(`${tree.realPath(path)}\n`);
    return 0;
  }
  const node = tree.find(path, false);
  if (node?.kind !== "symlink") return 1;
  out(`${node.target}\n`);
  return 0;
}

function realPath({ shell, tree, args, out }: ProgramCall): number {
  const { flags, words } = parseOptions(args, ["root"]);
  const path = shell.path(words[0] ?? "");
  if (!flags.has("s")) {
    out(`${tree.realPath(path)}\n`);
    return 0;
  }
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  out(`/${names.join("/")}\n`);
  return 0;
}

function remove({ shell, tree, args }: ProgramCall): number {
  const { flags, words } = parseOptions(args);
  const isRecursive = flags.has("r") || flags.has("R") || flags.has("recursive");
  let status = 0;
  for (const word of words) {
    const node: Node | undefined = tree.find(shell.path(word), false);
    if (node === undefined || (node.kind === "directory" && !isRecursive)) {
      if (node !== undefined || !(flags.has("f") || flags.has("force"))) status = 1;
      continue;
    }
    tree.remove(shell.path(word), isRecursive);
  }
  return status;
}

function removeFolders({ shell, tree, args }: ProgramCall): number {
  const { flags, words } = parseOptions(args);
  for (const word of words) {
    const node = tree.find(shell.path(word), false);
    if (node?.kind !== "directory") return 1;
    if (node.children.size === 0) tree.remove(shell.path(word));
    else if (!flags.has("ignore-fail-on-non-empty")) return 1;
  }
  return 0;
}

/** linux/capability.h: revision 2 has two halves of 32 bits, permitted and inheritable; bit 0 of the magic is "effective". */
const capabilities: Readonly<Record<string, number>> = {
  cap_chown: 0,
  cap_dac_override: 1,
  cap_dac_read_search: 2,
  cap_setgid: 6,
  cap_setuid: 7,
  cap_net_bind_service: 10,
  cap_net_admin: 12,
  cap_net_raw: 13,
  cap_sys_ptrace: 19,
  cap_sys_admin: 21,
  cap_sys_nice: 23,
};
const capabilityMagic = 0x02000000;

function setCapabilities({ shell, tree, args }: ProgramCall): number {
  const [text = "", path = ""] = args;
  const [, names = ""] = /^([\w,]+)[+=](?:ep|pe)$/.exec(text) ?? [];
  const bits = names.split(",").map((name) => capabilities[name]);
  const value = Buffer.alloc(20);
  value.writeUInt32LE(capabilityMagic + 1, 0);
  let permitted = 0;
  for (const bit of bits) {
    if (bit === undefined) throw new Unsupported(`setcap ${text}`);
    permitted += 2 ** bit;
  }
  value.writeUInt32LE(permitted, 4);
  const { xattrs } = tree.get(shell.path(path));
  tree.change(shell.path(path), { xattrs: new Map([...(xattrs ?? []), ["security.capability", value]]) });
  return 0;
}

/** All is one file system, and a path is as good as an inode's number. */
function showFacts({ shell, tree, args, out }: ProgramCall): number {
  const { flags, values, words } = parseOptions(args, ["c", "format"]);
  const format = values.get("c") ?? values.get("format");
  if (format === undefined) throw new Unsupported("stat");
  for (const word of words) {
    const node = tree.get(shell.path(word), flags.has("L"));
    const text = format.replace(/%(.)/g, (_, letter: string) => {
      switch (letter) {
        case "a":
          return node.mode.toString(8);
        case "u":
          return String(node.uid);
        case "g":
          return String(node.gid);
        case "d":
          return "0";
        case "i":
          return tree.realPath(shell.path(word));
        default:
          throw new Unsupported(`stat %${letter}`);
      }
    });
    out(`${text}\n`);
  }
  return 0;
}

function touch({ shell, tree, args }: ProgramCall): number {
  const { words } = parseOptions(args, ["r", "d", "t"]);
  for (const word of words) {
    if (tree.find(shell.path(word)) === undefined) shell.writeFile(word, "");
  }
  return 0;
}
