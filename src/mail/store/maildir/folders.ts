/** Mailboxes as folders: what is there, and how they come and go. */
import * as fs from "node:fs";
import { Failure, isSystemError } from "../../../base/index.ts";
import type { MailboxEntry } from "../mail-store.ts";
import { folderOfMailbox, mailboxOfFolder } from "./folder-name.ts";
import { changeSpecialUse, readSpecialUse } from "./special-use.ts";
import { readSubscriptions } from "./subscriptions.ts";

/** The names of all mailboxes that are there. */
export function mailboxNames(root: string): readonly string[] {
  const names = fs.readdirSync(root, { withFileTypes: true }).flatMap((entry) => {
    const name = mailboxOfFolder(entry.name);
    return name !== undefined && isFolder(root, entry) ? name : [];
  });
  return ["INBOX", ...names];
}

function isFolder(root: string, entry: fs.Dirent): boolean {
  if (entry.isDirectory()) return true;
  return (
    entry.isSymbolicLink() && fs.statSync(`${root}/${entry.name}`, { throwIfNoEntry: false })?.isDirectory() === true
  );
}

export function listMailboxes(root: string): readonly MailboxEntry[] {
  const there = new Set(mailboxNames(root));
  const subscribed = new Set(readSubscriptions(root));
  const uses = readSpecialUse(root);
  const parents = new Set([...there].flatMap(parentsOf));
  const all = new Set([...there, ...parents, ...subscribed, ...[...subscribed].flatMap(parentsOf)]);
  const sorted = [...all].sort((a, b) => Number(b === "INBOX") - Number(a === "INBOX") || compareNames(a, b));
  return sorted.map((name) => ({
    name,
    isSubscribed: subscribed.has(name),
    exists: there.has(name),
    isSelectable: there.has(name),
    hasChildren: parents.has(name),
    specialUse: there.has(name) ? (uses.get(name) ?? []) : [],
  }));
}

function parentsOf(name: string): string[] {
  const levels = name.split("/");
  return levels.slice(1).map((_, index) => levels.slice(0, index + 1).join("/"));
}

/** Level by level, so that what is below a mailbox follows it. */
function compareNames(a: string, b: string): number {
  const [left, right] = [a.split("/"), b.split("/")];
  for (let level = 0; level < left.length && level < right.length; level++) {
    const [one = "", other = ""] = [left[level], right[level]];
    if (one !== other) return one < other ? -1 : 1;
  }
  return left.length - right.length;
}

export function createFolder(root: string, name: string, specialUse: readonly string[]): void {
  const folder = folderOfMailbox(name);
  const { mode } = fs.statSync(root);
  if (folder === "" || fs.existsSync(`${root}/${folder}`)) throw alreadyThere(name);
  const making = fs.mkdtempSync(`${root}/tmp/holdfast-new-`);
  try {
    const mailbox = `${making}/mailbox`;
    for (const part of ["cur", "new", "tmp"]) fs.mkdirSync(`${mailbox}/${part}`, { recursive: true, mode });
    fs.writeFileSync(`${mailbox}/maildirfolder`, "", { mode: mode & 0o666 });
    renameFolder(mailbox, `${root}/${folder}`, name);
  } finally {
    fs.rmSync(making, { recursive: true, force: true });
  }
  changeSpecialUse(root, (kept) => [
    ...kept.filter(([use]) => !specialUse.includes(use)),
    ...specialUse.map((use) => [use, name] as const),
  ]);
}

/** The folder is out of the way at once; a run that ends before it is empty leaves it in `tmp`, which is cleaned. */
export function deleteFolder(root: string, name: string): void {
  const folder = folderOfMailbox(name);
  if (folder === "") throw new Failure("refused", 'cannot delete mailbox "INBOX": it always exists');
  const trash = fs.mkdtempSync(`${root}/tmp/holdfast-deleted-`);
  try {
    fs.renameSync(`${root}/${folder}`, `${trash}/mailbox`);
  } catch (error) {
    fs.rmdirSync(trash);
    if (isSystemError(error, "ENOENT")) throw notThere(name);
    throw error;
  }
  changeSpecialUse(root, (kept) => kept.filter(([, of]) => of !== name));
  fs.rmSync(trash, { recursive: true, force: true });
}

/** The mailbox and those below it; the names before and after. */
export function renameFolders(root: string, from: string, to: string): (readonly [from: string, to: string])[] {
  const target = folderOfMailbox(to);
  if (target === "" || fs.existsSync(`${root}/${target}`)) throw alreadyThere(to);
  if (to.startsWith(`${from}/`)) throw new Failure("refused", `cannot rename mailbox "${from}": "${to}" is below it`);
  const names = mailboxNames(root).filter((name) => name === from || name.startsWith(`${from}/`));
  if (names.length === 0) throw notThere(from);
  const renamed = names.map((name) => [name, `${to}${name.slice(from.length)}`] as const);
  for (const [, name] of renamed) if (fs.existsSync(`${root}/${folderOfMailbox(name)}`)) throw alreadyThere(name);
  for (const [old, name] of renamed) {
    renameFolder(`${root}/${folderOfMailbox(old)}`, `${root}/${folderOfMailbox(name)}`, name);
  }
  const newNames = new Map(renamed);
  changeSpecialUse(root, (kept) => kept.map(([use, name]) => [use, newNames.get(name) ?? name] as const));
  return renamed;
}

function renameFolder(from: string, to: string, name: string): void {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if (isSystemError(error, "ENOTEMPTY", "EEXIST", "ENOTDIR")) throw alreadyThere(name);
    throw error;
  }
}

function alreadyThere(name: string): Failure {
  return new Failure("exists", `cannot create mailbox "${name}": it is there already`);
}

function notThere(name: string): Failure {
  return new Failure("not-found", `cannot open mailbox "${name}": there is none`);
}
