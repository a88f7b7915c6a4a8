import type { ProgramCall } from "../shell/index.ts";
import { Unsupported } from "../shell/index.ts";
import type { SystemTree } from "../system-tree.ts";

const folder = "/var/lib/dpkg/alternatives";

interface Choice {
  readonly path: string;
  readonly priority: number;
  /** Paths by the names of the links that follow the main one. */
  readonly followers: ReadonlyMap<string, string>;
}

interface Alternative {
  readonly name: string;
  link: string;
  /** Links that follow the main one, by name. */
  readonly followers: Map<string, string>;
  choices: Choice[];
}

/** update-alternatives(1): `--install`, and `--remove` of what is not there. */
export function updateAlternatives({ tree, args }: ProgramCall): number {
  const words = args.filter((word) => !["--quiet", "--force", "--verbose"].includes(word));
  const [action, ...rest] = words;
  if (action === "--remove" || action === "--remove-all") {
    if (tree.find(`${folder}/${rest[0] ?? ""}`) === undefined) return 0;
  }
  if (action !== "--install") throw new Unsupported(`update-alternatives ${action ?? ""}`);
  const [link = "", name = "", path = "", priority = "", ...more] = rest;
  if (tree.find(path) === undefined) return 2;
  const alternative = readAlternative(tree, name) ?? { name, link, followers: new Map(), choices: [] };
  const followers = new Map<string, string>();
  for (let n = 0; n < more.length; n += 4) {
    const [option, followerLink = "", followerName = "", followerPath = ""] = more.slice(n, n + 4);
    if (option !== "--slave") throw new Unsupported(`update-alternatives ${option ?? ""}`);
    alternative.followers.set(followerName, followerLink);
    followers.set(followerName, followerPath);
  }
  alternative.link = link;
  const others = alternative.choices.filter((one) => one.path !== path);
  alternative.choices = [...others, { path, priority: Number(priority), followers }];
  writeAlternative(tree, alternative);
  setLinks(tree, alternative);
  return 0;
}

function setLinks(tree: SystemTree, { name, link, followers, choices }: Alternative): void {
  const [best] = choices.toSorted((a, b) => b.priority - a.priority);
  if (best === undefined) return;
  setLink(tree, { name, link, path: best.path });
  for (const [follower, followerLink] of followers) {
    const path = best.followers.get(follower);
    if (path !== undefined && tree.find(path) !== undefined)
      setLink(tree, { name: follower, link: followerLink, path });
    else for (const old of [`/etc/alternatives/${follower}`, followerLink]) removeLink(tree, old);
  }
}

interface LinkPlan {
  readonly name: string;
  readonly link: string;
  readonly path: string;
}

function setLink(tree: SystemTree, { name, link, path }: LinkPlan): void {
  tree.makeDirectories("/etc/alternatives");
  const middle = `/etc/alternatives/${name}`;
  for (const [at, target] of [
    [middle, path],
    [link, middle],
  ] as const) {
    const existing = tree.find(at, false);
    if (existing !== undefined && existing.kind !== "symlink") continue; // a file stays
    if (existing !== undefined) tree.remove(at);
    tree.makeDirectories(at.slice(0, at.lastIndexOf("/")));
    tree.symlink(target, at);
  }
}

function removeLink(tree: SystemTree, path: string): void {
  if (tree.find(path, false)?.kind === "symlink") tree.remove(path);
}

/** A mode; the link; name and link of each follower; an empty line; then path, priority and followers' paths of each choice. */
function writeAlternative(tree: SystemTree, { name, link, followers, choices }: Alternative): void {
  const names = [...followers.keys()].sort();
  const lines = ["auto", link, ...names.flatMap((one) => [one, followers.get(one) ?? ""]), ""];
  for (const choice of choices.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    lines.push(choice.path, String(choice.priority), ...names.map((one) => choice.followers.get(one) ?? ""));
  }
  tree.makeDirectories(folder);
  tree.write(`${folder}/${name}`, `${lines.join("\n")}\n\n`);
}

function readAlternative(tree: SystemTree, name: string): Alternative | undefined {
  if (tree.find(`${folder}/${name}`) === undefined) return undefined;
  const lines = tree.read(`${folder}/${name}`).toString("latin1").split("\n");
  if (lines[0] !== "auto") throw new Unsupported(`the alternative ${name}`);
  const end = lines.indexOf("");
  const followers = new Map<string, string>();
  for (let n = 2; n < end; n += 2) followers.set(lines[n] ?? "", lines[n + 1] ?? "");
  const names = [...followers.keys()];
  const choices: Choice[] = [];
  for (let n = end + 1; (lines[n] ?? "") !== ""; n += 2 + names.length) {
    const paths = names.map((one, m) => [one, lines[n + 2 + m] ?? ""] as const).filter(([, path]) => path !== "");
    choices.push({ path: lines[n] ?? "", priority: Number(lines[n + 1]), followers: new Map(paths) });
  }
  return { name, link: lines[1] ?? "", followers, choices };
}
