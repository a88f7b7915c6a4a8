import * as fs from "node:fs/promises";
import * as os from "node:os";
import { join } from "node:path";
import { Failure, type JobOptions } from "../base/index.ts";
import { generatedTree } from "../boot/grub/index.ts";
import { formatSize } from "../bytes/index.ts";
import { FileDevice } from "../device/index.ts";
import { makeFileSystem } from "../filesystem/index.ts";
import { defaultGeometry } from "../partition/index.ts";
import type { Timestamp } from "../tree/index.ts";
import { isSafePath } from "./iso-name.ts";
import {
  mergedWords,
  type BootEntry,
  type HostFileSystem,
  type Persistence,
  type RecognisedIso,
} from "./recognise/index.ts";

const mib = 2 ** 20;
/** Less is soon full. */
const leastBytes = 16 * mib;
const fatFileLimitBytes = 2 ** 32 - 1;

/** Where the changes of an ISO are kept: in a folder beside it, which the menu does not show. */
const changesFolder = (isoPath: string): string => `${isoPath}.changes`;
const inChangesFolder = /^(.+)\.changes\/[^/]+$/;

/** The ISO that a file keeps changes of; undefined where it keeps none. */
export function isoOfChanges(filePath: string): string | undefined {
  return inChangesFolder.exec(filePath)?.[1];
}

/** A file that keeps changes. */
export interface ChangesFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly persistence: Persistence;
  /** The key has it from before, and it stays as it is. */
  readonly isThere: boolean;
}

export interface ChangesWish {
  /** For messages. */
  readonly source: string;
  readonly isoPath: string;
  readonly sizeBytes: number;
  /** The files on isos. */
  readonly there: ReadonlySet<string>;
  /** What isos is formatted as. */
  readonly host: HostFileSystem;
}

/**
 * An ISO with an entry more, under which what is changed is kept, and the file that keeps it. Throws `unsupported` where
 * its system does not do that, `usage` where the file cannot be.
 */
export function keepingChanges(
  iso: RecognisedIso,
  wish: ChangesWish,
): { readonly iso: RecognisedIso; readonly changes: ChangesFile } {
  const { source, isoPath, sizeBytes, host } = wish;
  const at = iso.entries.findIndex(({ persistence }) => persistence !== undefined);
  const entry = iso.entries[at];
  const how = entry?.withoutMenu ?? entry?.how;
  if (entry?.persistence === undefined || how?.kind !== "linux") {
    throw refusal(source, "nothing is known of its system by which it would", "add it without --persist");
  }
  const { persistence } = entry;
  const whyNot = whyNotKept(persistence, how.words, wish);
  if (whyNot !== undefined) throw refusal(source, ...whyNot);
  if (sizeBytes < leastBytes) {
    throw new Failure("usage", `cannot keep changes in ${formatSize(sizeBytes)}: ${formatSize(leastBytes)} are needed`);
  }
  if (host === "fat" && sizeBytes > fatFileLimitBytes) {
    throw refusal(
      source,
      `FAT holds files below 4 GiB, and ${formatSize(sizeBytes)} are asked for`,
      "a key made with --fs ext4 holds it",
    );
  }
  const placed = persistence.words.map((word) => word.replaceAll("${changesFolder}", changesFolder(isoPath)));
  const kept: BootEntry = {
    ...plain(entry),
    title: `${entry.title}, with changes kept`,
    how: { ...how, words: mergedWords(how.words, placed, persistence.drops) },
  };
  const path = `${changesFolder(isoPath)}/${persistence.fileName}`;
  const changes = { path, sizeBytes, persistence, isThere: wish.there.has(path) };
  return { iso: { ...iso, entries: iso.entries.toSpliced(at + 1, 0, kept) }, changes };
}

function plain({ persistence: _, withoutMenu: __, ...entry }: BootEntry): BootEntry {
  return entry;
}

function whyNotKept(
  { unless, on }: Persistence,
  words: readonly string[],
  { isoPath, host }: ChangesWish,
): readonly [why: string, hint: string] | undefined {
  const said = words.find((word) => unless.includes(word));
  if (said !== undefined) return [`it says itself that it keeps none ("${said}")`, "add it without --persist"];
  if (on?.includes(host) === false) {
    return [
      `its system looks for them on ${on.join(", ").toUpperCase()} only, and isos is ${host}`,
      "a key made with --fs fat32 holds them",
    ];
  }
  if (isSafePath(isoPath)) return undefined;
  return ["its system would not find them by that name", "give a --name of letters, digits and . _ + - alone"];
}

function refusal(source: string, why: string, hint: string): Failure {
  return new Failure("unsupported", `cannot keep changes of "${source}": ${why}`, { hint });
}

/** A file of this machine, for as long as it is needed. */
export interface MadeFile extends AsyncDisposable {
  readonly path: string;
}

/** Makes the ext4 that keeps changes, in a file of holes but for what it needs. */
export async function makeChangesFile(
  { sizeBytes, persistence }: ChangesFile,
  now: Timestamp,
  job: JobOptions,
): Promise<MadeFile> {
  await using stack = new AsyncDisposableStack();
  const folder = await fs.mkdtemp(join(os.tmpdir(), "holdfast-changes-"));
  stack.defer(() => fs.rm(folder, { recursive: true, force: true }));
  const file = join(folder, persistence.fileName);
  const handle = await fs.open(file, "wx", 0o600);
  try {
    await using device = FileDevice.overNewFile(file, handle.fd, sizeBytes);
    const texts = Object.entries(persistence.files).map(([name, text]) => [name, Buffer.from(text)] as const);
    await using tree = generatedTree("changes", texts, now);
    const wanted = { kind: "ext4", label: persistence.label, now, lazyInodeTables: true } as const;
    await makeFileSystem(device, [tree], { ...job, wanted, place: { startLba: 0, geometry: defaultGeometry } });
  } finally {
    await handle.close();
  }
  const made = stack.move();
  return { path: file, [Symbol.asyncDispose]: () => made.disposeAsync() };
}
