/** Mailboxes as files: what is there, and how they come and go. */
import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, isSystemError } from "../../../base/index.ts";
import { levelOfFile, pathOfMailbox } from "./names.ts";

/** Where the mailboxes of a user are, absolute. */
export interface MboxPlaces {
  readonly folder: string;
  readonly inbox: string;
}

/** How deep folders are looked into. */
const depthLimit = 20;

export interface MboxNames {
  readonly mailboxes: ReadonlySet<string>;
  /** Folders: they have no messages, but may have mailboxes in them. */
  readonly levels: ReadonlySet<string>;
}

export function fileOf({ folder, inbox }: MboxPlaces, name: string): string {
  return name === "INBOX" ? inbox : path.join(folder, pathOfMailbox(name));
}

export function namesIn(places: MboxPlaces): MboxNames {
  const [mailboxes, levels] = [new Set(["INBOX"]), new Set<string>()];
  const visit = (folder: string, prefix: string, depth: number): void => {
    for (const entry of entriesOf(folder)) {
      const level = levelOfFile(entry.name);
      const file = path.join(folder, entry.name);
      if (level === undefined || file === places.inbox || (depth === 0 && level.toUpperCase() === "INBOX")) continue;
      const stat = entry.isSymbolicLink() ? fs.statSync(file, { throwIfNoEntry: false }) : entry;
      const name = `${prefix}${level}`;
      if (stat?.isFile() === true) mailboxes.add(name);
      if (stat?.isDirectory() !== true || depth >= depthLimit) continue;
      levels.add(name);
      visit(file, `${name}/`, depth + 1);
    }
  };
  visit(places.folder, "", 0);
  return { mailboxes, levels };
}

function entriesOf(folder: string): readonly fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (isSystemError(error, "ENOENT", "EACCES")) return [];
    throw error;
  }
}

/** An empty file; the levels above it are made. */
export function createMailbox(places: MboxPlaces, name: string): void {
  const file = fileOf(places, name);
  if (name === "INBOX" || fs.existsSync(file)) throw alreadyThere(name);
  makeLevels(places, name);
  fs.closeSync(fs.openSync(file, "wx", 0o600));
}

function makeLevels(places: MboxPlaces, name: string): void {
  try {
    fs.mkdirSync(path.dirname(fileOf(places, name)), { recursive: true, mode: 0o700 });
  } catch (error) {
    if (!isSystemError(error, "ENOTDIR", "EEXIST")) throw error;
    throw new Failure("refused", `cannot create mailbox "${name}": what is above it is a mailbox with messages`, {
      hint: "a file cannot be a folder too; give it a name of its own",
    });
  }
}

/** Renames a mailbox, or a level with all below it; the names before and after. */
export function renameMailbox(places: MboxPlaces, from: string, to: string): readonly (readonly [string, string])[] {
  const [source, target] = [fileOf(places, from), fileOf(places, to)];
  if (!fs.existsSync(source)) throw notThere(from);
  if (to === "INBOX" || fs.existsSync(target)) throw alreadyThere(to);
  if (to.startsWith(`${from}/`)) throw new Failure("refused", `cannot rename mailbox "${from}": "${to}" is below it`);
  const { mailboxes } = namesIn(places);
  makeLevels(places, to);
  fs.renameSync(source, target);
  const renamed = [...mailboxes].filter((name) => name === from || name.startsWith(`${from}/`));
  return renamed.map((name) => [name, `${to}${name.slice(from.length)}`] as const);
}

function alreadyThere(name: string): Failure {
  return new Failure("exists", `cannot create mailbox "${name}": it is there already`);
}

export function notThere(name: string): Failure {
  return new Failure("not-found", `cannot open mailbox "${name}": there is none`);
}
