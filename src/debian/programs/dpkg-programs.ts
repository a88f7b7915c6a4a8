import { createHash } from "node:crypto";
import { compareVersions } from "../control/index.ts";
import type { Program, ProgramCall } from "../shell/index.ts";
import { Unsupported } from "../shell/index.ts";
import type { SystemTree } from "../system-tree.ts";
import type { UnpackedPackage } from "../unpacked-package.ts";
import { accountId } from "./accounts.ts";
import { updateAlternatives } from "./alternatives.ts";
import { parseOptions } from "./options.ts";
import type { ConfigurationState } from "./state.ts";

const diversions = "/var/lib/dpkg/diversions";
const overrides = "/var/lib/dpkg/statoverride";

/** dpkg and what comes with it. */
export function dpkgPrograms(state: ConfigurationState): Map<string, Program> {
  return new Map<string, Program>([
    ["update-alternatives", updateAlternatives],
    ["dpkg", (call) => dpkg(call, state)],
    ["dpkg-divert", (call) => divert(call, state)],
    ["dpkg-maintscript-helper", helper],
    ["dpkg-query", (call) => query(call, state)],
    ["dpkg-statoverride", override],
    ["dpkg-trigger", ({ args }) => (state.triggered.add(args.at(-1) ?? ""), 0)],
    ["ucf", keepConfiguration],
    ["ucfr", registerConfiguration],
  ]);
}

function dpkg(call: ProgramCall, state: ConfigurationState): number {
  const args = call.args.filter((word) => word !== "--");
  const [action, ...rest] = args;
  switch (action) {
    case "--compare-versions":
      return Number(!isInOrder(rest[0] ?? "", rest[1] ?? "", rest[2] ?? ""));
    case "--print-architecture":
      call.out(`${state.current?.architecture ?? "amd64"}\n`);
      return 0;
    case "-s":
    case "-L":
    case "-S":
    case "-l":
      return query(call, state);
    default:
      throw new Unsupported(`dpkg ${action ?? ""}`);
  }
}

/** Without a version: earlier than any, but for the operators that end in `-nl`, for which it is later. */
function isInOrder(left: string, operator: string, right: string): boolean {
  const isLate = operator.endsWith("-nl");
  const order = orderOf(left, right, isLate);
  switch (operator.replace("-nl", "")) {
    case "lt":
    case "<<":
      return order < 0;
    case "le":
    case "<=":
      return order <= 0;
    case "eq":
    case "=":
      return order === 0;
    case "ne":
      return order !== 0;
    case "ge":
    case ">=":
      return order >= 0;
    case "gt":
    case ">>":
      return order > 0;
    default:
      throw new Unsupported(`dpkg --compare-versions ${operator}`);
  }
}

function orderOf(left: string, right: string, isLate: boolean): number {
  if (left !== "" && right !== "") return compareVersions(left, right);
  if (left === right) return 0;
  return (left === "") === isLate ? 1 : -1;
}

/** Nothing was there before, so there is nothing to move or to remove. */
function helper({ args }: ProgramCall): number {
  const end = args.indexOf("--");
  const [action = "", second = ""] = args.slice(end + 1);
  const oldVersion = action === "triggered" ? "" : second;
  if (args[0] === "supports") return 0;
  if (end === -1 || oldVersion !== "" || !["install", "configure", "triggered"].includes(action)) {
    throw new Unsupported(`dpkg-maintscript-helper ${args.join(" ")}`);
  }
  return 0;
}

function query(call: ProgramCall, { packages }: ConfigurationState): number {
  const { flags, values, words } = parseOptions(call.args, ["f", "showformat"]);
  const format = values.get("f") ?? values.get("showformat");
  if (flags.has("S") || flags.has("search")) {
    const owners = [...packages.values()].filter(({ paths }) => words.some((name) => paths.includes(name)));
    call.out(owners.map(({ name }) => `${name}: ${words.join(" ")}\n`).join(""));
    return Number(owners.length === 0);
  }
  const found = words.map((name) => packages.get(name.replace(/:.*/, ""))).filter((one) => one !== undefined);
  if (flags.has("L") || flags.has("listfiles")) {
    for (const one of found) call.out(one.paths.map((path) => `${path}\n`).join(""));
  } else if ((flags.has("W") || flags.has("show")) && format !== undefined && words.length > 0) {
    for (const one of found) call.out(formatted(format, one));
  } else if (found.length > 0) throw new Unsupported(`dpkg-query ${call.args.join(" ")}`);
  return Number(found.length < words.length || found.length === 0);
}

/** `${Field}` and `${Field;width}` as dpkg-query(1) has them. */
function formatted(format: string, one: UnpackedPackage): string {
  const state = one.isConfigured ? "installed" : "unpacked";
  const known = new Map([
    ["Package", one.name],
    ["binary:Package", one.infoName],
    ["Version", one.version],
    ["Architecture", one.architecture],
    ["Status", `install ok ${state}`],
    ["db:Status-Status", state],
    ["db:Status-Want", "install"],
    ["db:Status-Eflag", "ok"],
    ["Conffiles", one.conffiles.map(({ path, md5 }) => `\n ${path} ${md5}`).join("")],
  ]);
  return format
    .replace(/\$\{([\w:-]+)\}/g, (_, name: string) => {
      const value = known.get(name) ?? one.fields.get(name);
      if (value === undefined && /^(db|source|binary):/.test(name)) throw new Unsupported(`dpkg-query \${${name}}`);
      return value ?? "";
    })
    .replaceAll("\\n", "\n")
    .replaceAll("\\t", "\t");
}

interface Diversion {
  readonly from: string;
  readonly to: string;
  readonly owner: string;
}

function divert({ tree, args, out }: ProgramCall, { current }: ConfigurationState): number {
  const { flags, values, words } = parseOptions(args, [
    "package",
    "divert",
    "listpackage",
    "truename",
    "list",
    "add",
    "remove",
  ]);
  const lines = linesOf(tree, diversions);
  const known: Diversion[] = [];
  for (let n = 0; n + 2 < lines.length; n += 3) {
    known.push({ from: lines[n] ?? "", to: lines[n + 1] ?? "", owner: lines[n + 2] ?? "" });
  }
  const path = values.get("listpackage") ?? values.get("truename") ?? values.get("list");
  const found = known.find(({ from }) => from === path);
  if (values.has("listpackage")) out(found === undefined ? "" : `${found.owner === ":" ? "LOCAL" : found.owner}\n`);
  if (values.has("truename")) out(`${found?.to ?? path ?? ""}\n`);
  if (path !== undefined) return 0;
  const target = values.get("add") ?? values.get("remove") ?? words[0] ?? "";
  const isRemoved = values.has("remove") || flags.has("remove");
  const others = known.filter(({ from }) => from !== target);
  if (isRemoved) {
    const old = known.find(({ from }) => from === target);
    if (old === undefined) return 0;
    if (flags.has("rename") && tree.find(old.to, false) !== undefined) tree.rename(old.to, old.from);
    return writeDiversions(tree, others);
  }
  const to = values.get("divert") ?? `${target}.distrib`;
  const owner = flags.has("local") ? ":" : (values.get("package") ?? current?.name ?? ":");
  if (flags.has("rename") && tree.find(target, false) !== undefined) tree.rename(target, to);
  return writeDiversions(tree, [{ from: target, to, owner }, ...others]);
}

function writeDiversions(tree: SystemTree, all: readonly Diversion[]): number {
  tree.write(diversions, all.map((one) => `${one.from}\n${one.to}\n${one.owner}\n`).join(""));
  return 0;
}

function override({ tree, args, out }: ProgramCall): number {
  const lines = linesOf(tree, overrides);
  const words = args.filter((word) => !["--force", "--quiet"].includes(word));
  if (words[0] === "--list") {
    const found = lines.filter((line) => words[1] === undefined || line.split(" ").at(-1) === words[1]);
    out(found.map((line) => `${line}\n`).join(""));
    return Number(found.length === 0);
  }
  const [user = "", group = "", mode = "", path = ""] = words.filter((word) => !word.startsWith("--"));
  if (!words.includes("--add")) throw new Unsupported("dpkg-statoverride");
  tree.write(overrides, [...lines, `${user} ${group} ${mode} ${path}`].map((line) => `${line}\n`).join(""));
  if (words.includes("--update") && tree.find(path) !== undefined) {
    const owner = { uid: accountId(tree, "passwd", user), gid: accountId(tree, "group", group) };
    tree.change(path, { ...owner, mode: Number.parseInt(mode, 8) });
  }
  return 0;
}

/** ucf(1): the file is new, so it becomes what the package says. */
function keepConfiguration({ shell, tree, args }: ProgramCall): number {
  const { words } = parseOptions(args, ["sum-file", "src-dir"]);
  const [from = "", to = ""] = words;
  if (tree.find(to) !== undefined) throw new Unsupported("ucf over a file");
  const content = shell.readFile(from);
  tree.write(to, Buffer.from(content, "latin1"), tree.get(shell.path(from)).mode);
  const sum = createHash("md5").update(Buffer.from(content, "latin1")).digest("hex");
  appendLine(tree, "/var/lib/ucf/hashfile", `${sum}  ${to}`);
  return 0;
}

function registerConfiguration({ tree, args }: ProgramCall): number {
  const { words } = parseOptions(args);
  appendLine(tree, "/var/lib/ucf/registry", `${words[0] ?? ""} \t ${words[1] ?? ""}`);
  return 0;
}

function appendLine(tree: SystemTree, path: string, line: string): void {
  const lines = linesOf(tree, path);
  if (!lines.includes(line)) tree.write(path, [...lines, line].map((one) => `${one}\n`).join(""));
}

function linesOf(tree: SystemTree, path: string): string[] {
  if (tree.find(path) === undefined) return [];
  return tree
    .read(path)
    .toString("latin1")
    .split("\n")
    .filter((line) => line !== "");
}
