import { Failure } from "../base/index.ts";
import { resolvePath, type EditableFileSystem, type FileSystem, type NamePlace } from "../filesystem/index.ts";
import type { Timestamp } from "../tree/index.ts";
import { checksPath, entriesFolder, indexName } from "./key-layout.ts";
import { grubWord } from "./grub-words.ts";
import { isoMenu, oneLine, type IsoMenuOptions } from "./iso-menu.ts";
import { readSmallFile } from "./open-key.ts";
import { isVerification, type IsoVerification } from "./verify/index.ts";
import { isEntryTest, type EntryTest } from "./entry-test.ts";
import type { Architecture, FileKind, Firmware, RecognisedIso, StartMethod } from "./recognise/index.ts";

/** What a key keeps of a file that was added, in the first line of the file of its entries. */
export interface IsoRecord {
  /** From the root of isos, beginning with `/`. */
  readonly path: string;
  readonly title: string;
  readonly sizeBytes: number;
  readonly entries: readonly RecordedEntry[];
  /** Of all of it, when it was added. */
  readonly sha256?: string;
  /** Who said that it was what it should be. */
  readonly verified?: IsoVerification;
  /** Absent: an ISO. */
  readonly kind?: FileKind;
  /** The paths of what belongs to it: the initrds of a kernel. */
  readonly companions?: readonly string[];
  /** What came of starting its entries in a virtual machine. */
  readonly tests?: readonly EntryTest[];
}

/** What was found out about all of an ISO when it was added. */
export type RecordedSum = Required<Pick<IsoRecord, "sha256" | "verified">>;

export interface RecordedEntry {
  readonly title: string;
  readonly kind: StartMethod["kind"];
  readonly firmwares: readonly Firmware[];
  readonly architecture: Architecture;
  /** By whom it is signed, where that is known: `signers` of a `BootEntry`. */
  readonly signers?: readonly string[];
}

const headerMark = "# holdfast: ";
const entriesLimitBytes = 1024 * 1024;
/** Folders that a person made are not as deep, nor as many. */
const depthLimit = 16;
const folderLimit = 10_000;
const collator = new Intl.Collator("en", { numeric: true });

interface EntriesOptions extends IsoMenuOptions {
  readonly sum?: RecordedSum;
  readonly parts?: Pick<IsoRecord, "kind" | "companions">;
}

/** The file of an ISO's entries: what it is, for this program, and the entries, for GRUB. */
export function entriesText(
  isoPath: string,
  sizeBytes: number,
  iso: RecognisedIso,
  { sum, parts, ...options }: EntriesOptions = {},
): string {
  const entries = iso.entries.map(({ title, how, firmwares, architecture, signers }): RecordedEntry => {
    return { title, kind: how.kind, firmwares, architecture, ...(signers === undefined ? {} : { signers }) };
  });
  const record: IsoRecord = { path: isoPath, title: iso.title, sizeBytes, entries, ...sum, ...parts };
  const isPlain = parts?.kind !== undefined;
  return `${headerMark}${JSON.stringify(record)}\n${isoMenu(isoPath, { ...iso, isPlain }, options)}`;
}

/** Everything that was added to a key, whether or not its ISO is still there. */
export async function readRecords(boot: FileSystem): Promise<readonly IsoRecord[]> {
  const records: IsoRecord[] = [];
  for (const path of await filesBelow(boot, entriesFolder)) {
    if (path.endsWith(`/${indexName}`)) continue;
    const record = parseRecord((await readSmallFile(boot, path, entriesLimitBytes)) ?? "");
    if (record !== undefined && entriesPathOf(record.path) === path) records.push(record);
  }
  return records.toSorted((one, other) => collator.compare(one.title, other.title) || (one.path < other.path ? -1 : 1));
}

function parseRecord(text: string): IsoRecord | undefined {
  const [line = ""] = text.split("\n", 1);
  if (!line.startsWith(headerMark)) return undefined;
  try {
    const record: unknown = JSON.parse(line.slice(headerMark.length));
    return isRecord(record) ? record : undefined;
  } catch {
    return undefined; // someone edited it: GRUB still reads it
  }
}

function isRecord(value: unknown): value is IsoRecord {
  if (typeof value !== "object" || value === null) return false;
  const { path, title, sizeBytes, entries, sha256, verified, companions, tests } = value as Partial<
    Record<keyof IsoRecord, unknown>
  >;
  if (companions !== undefined && !isListOf(companions, (one) => typeof one === "string")) return false;
  if (tests !== undefined && !isListOf(tests, isEntryTest)) return false;
  if (sha256 !== undefined && !isSha256(sha256)) return false;
  if (verified !== undefined && !isVerification(verified)) return false;
  const isNamed = typeof path === "string" && path.startsWith("/") && typeof title === "string";
  return isNamed && typeof sizeBytes === "number" && Array.isArray(entries) && entries.every(isEntry);
}

function isListOf(value: unknown, isOne: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isOne);
}

function isSha256(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

function isEntry(value: unknown): value is RecordedEntry {
  if (typeof value !== "object" || value === null) return false;
  const { title, kind, firmwares, architecture, signers } = value as Partial<Record<keyof RecordedEntry, unknown>>;
  if (signers !== undefined && !(Array.isArray(signers) && signers.every((name) => typeof name === "string")))
    return false;
  return [title, kind, architecture].every((text) => typeof text === "string") && Array.isArray(firmwares);
}

/** Keeps what came of starting an entry of a file that was added, if it is still in the menu. The caller commits. */
export async function recordTest(
  boot: EditableFileSystem,
  path: string,
  test: EntryTest,
  now: Timestamp,
): Promise<void> {
  const place = entriesPathOf(path);
  if ((await findPath(boot, place)) === undefined) return;
  const text = (await readSmallFile(boot, place, entriesLimitBytes)) ?? "";
  const record = parseRecord(text);
  if (record === undefined) return;
  const isOther = (one: EntryTest): boolean => one.entry !== test.entry || one.firmware !== test.firmware;
  const tests = [...(record.tests ?? []).filter(isOther), test];
  const header = `${headerMark}${JSON.stringify({ ...record, tests })}`;
  await putText(boot, place, header + text.slice(text.indexOf("\n")), now);
}

/** What is to become of the files of the menu. */
export interface MenuChange {
  /** The ISO files that are there, or will be. */
  readonly isoPaths: ReadonlySet<string>;
  /** Files of entries that are new, by the path of their ISO. */
  readonly added?: ReadonlyMap<string, string>;
  readonly now: Timestamp;
}

/** Brings the menu's files in line with the ISO files that there are. The caller commits. */
export async function updateMenu(boot: EditableFileSystem, { isoPaths, added, now }: MenuChange): Promise<void> {
  for (const [isoPath, text] of added ?? []) await putText(boot, entriesPathOf(isoPath), text, now);
  const records = await readRecords(boot);
  const gone = records.filter(({ path }) => !isoPaths.has(path));
  for (const { path } of gone) await removeFile(boot, entriesPathOf(path));
  await updateSums(boot, records, { isoPaths, now });
  const folders = new Map<string, string[]>([["", []]]);
  for (const { path } of records) {
    const folder = path.slice(0, path.lastIndexOf("/"));
    const lines = folders.get(folder) ?? [];
    folders.set(folder, lines);
    if (isoPaths.has(path)) lines.push(`key_iso ${grubWord(path)}\n`);
  }
  for (const [folder, lines] of folders) {
    const path = `${entriesFolder}${folder}/${indexName}`;
    if (lines.length === 0 && folder !== "") await removeFile(boot, path);
    else await putText(boot, path, indexText(lines), now);
  }
}

/** The sums, each as a file that GRUB and sha256sum check, and the menu of those that can be checked. */
async function updateSums(
  boot: EditableFileSystem,
  records: readonly IsoRecord[],
  { isoPaths, now }: Omit<MenuChange, "added">,
): Promise<void> {
  const lines: string[] = [];
  for (const { path, title, sha256 } of records) {
    if (sha256 === undefined || !isoPaths.has(path)) await removeFile(boot, sumPathOf(path));
    else {
      await putText(boot, sumPathOf(path), `${sha256}  ${path.slice(1)}\n`, now);
      lines.push(`key_sum ${grubWord(path)} ${grubWord(oneLine(title))}\n`);
    }
  }
  const text = `# The ISO files whose sums are known. Made by holdfast.\n${lines.join("")}`;
  if (lines.length === 0) await removeFile(boot, checksPath);
  else await putText(boot, checksPath, text, now);
}

/** What is to be read of a folder's entries. That of the top is always there, for GRUB complains of missing folders. */
export function indexText(lines: readonly string[]): string {
  return `# The ISO files that were added here. Made by holdfast.\n${lines.length === 0 ? "true\n" : lines.join("")}`;
}

function entriesPathOf(isoPath: string): string {
  return `${entriesFolder}${isoPath}.cfg`;
}

export function sumPathOf(isoPath: string): string {
  return `${entriesFolder}${isoPath}.sha256`;
}

/** The paths of the files below a folder; none where it is not there. */
export async function filesBelow(fileSystem: FileSystem, folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  let folderCount = 0;
  const look = async (id: number, path: string, depth: number): Promise<void> => {
    if (depth > depthLimit) return;
    if (++folderCount > folderLimit) {
      throw new Failure("damaged", `cannot look through "${folder}": it has more than ${folderLimit} folders`);
    }
    for await (const batch of fileSystem.list(id)) {
      for (const item of batch) {
        const { kind } = await fileSystem.stat(item.id);
        if (kind === "directory") await look(item.id, `${path}/${item.name}`, depth + 1);
        else if (kind === "file") found.push(`${path}/${item.name}`);
      }
    }
  };
  const id = await findPath(fileSystem, folder);
  if (id !== undefined) await look(id, folder === "/" ? "" : folder, 0);
  return found;
}

async function findPath(fileSystem: FileSystem, path: string): Promise<number | undefined> {
  try {
    return await resolvePath(fileSystem, path);
  } catch (error) {
    if (error instanceof Failure && error.code === "not-found") return undefined;
    throw error;
  }
}

/** The place of a path's last name, whose folders are made where they are not there. */
export async function placeFor(fileSystem: EditableFileSystem, path: string, now: Timestamp): Promise<NamePlace> {
  const names = path.split("/").filter((name) => name !== "");
  const name = names.pop() ?? "";
  let directory = fileSystem.rootId;
  for (const folder of names) {
    const there = await fileSystem.find(directory, folder);
    const metadata = { mode: 0o755, uid: 0, gid: 0, modified: now, sizeBytes: 0 };
    directory = there ?? (await fileSystem.create({ directory, name: folder }, { kind: "directory", ...metadata }));
  }
  return { directory, name };
}

/** Gives a small file a text, and makes it and its folders where they are not there. The caller commits. */
export async function putText(boot: EditableFileSystem, path: string, text: string, now: Timestamp): Promise<void> {
  const bytes = Buffer.from(text);
  const place = await placeFor(boot, path, now);
  const content = { sizeBytes: bytes.length, content: [{ at: 0, bytes }] };
  const existing = await boot.find(place.directory, place.name);
  if (existing === undefined) {
    await boot.create(place, { kind: "file", mode: 0o644, uid: 0, gid: 0, modified: now, ...content });
  } else if ((await readSmallFile(boot, path, entriesLimitBytes)) !== text) {
    await boot.replaceContent(existing, content);
  }
}

async function removeFile(boot: EditableFileSystem, path: string): Promise<void> {
  const cut = path.lastIndexOf("/");
  const directory = await findPath(boot, path.slice(0, cut));
  const name = path.slice(cut + 1);
  if (directory === undefined || (await boot.find(directory, name)) === undefined) return;
  await boot.remove({ directory, name });
}
