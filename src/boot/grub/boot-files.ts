import * as fs from "node:fs";
import * as path from "node:path/posix";
import { Failure, isSystemError, systemReason } from "../../base/index.ts";
import { openSource, type FileEntry } from "../../tree/index.ts";

/** Where programs that start machines are taken from. */
export interface BootFileSources {
  /** Folders, tars and Debian packages that the user names; they come first. */
  readonly given?: readonly string[];
  /** The folder under which this machine has what is installed. Absent: `/usr/lib`. */
  readonly machineFolder?: string;
  /** Gets a Debian package and gives the path of its file. Throws where it cannot be had. */
  readonly fetchPackage?: (request: { readonly name: string; readonly architecture: string }) => Promise<string>;
}

/** The largest is a signed GRUB of some four megabytes. */
const largestFileBytes = 16 * 1024 * 1024;
const largestTotalBytes = 64 * 1024 * 1024;

/** The files in a folder, tar or package whose path from its root is wanted, by the names that they are wanted as. */
export async function readBootFiles(
  source: string,
  wantedAs: (path: string) => string | undefined,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  let totalBytes = 0;
  await using tree = await openSource(source);
  for await (const batch of tree.entries()) {
    for (const entry of batch) {
      const name = entry.kind === "file" ? wantedAs(entry.path) : undefined;
      if (entry.kind !== "file" || name === undefined) continue;
      totalBytes += entry.sizeBytes;
      if (entry.sizeBytes > largestFileBytes || totalBytes > largestTotalBytes) {
        const why = `"${entry.path}" is too large to be a part of it`;
        throw new Failure("damaged", `cannot read boot programs from "${source}": ${why}`);
      }
      files.set(name, await wholeContent(entry));
    }
  }
  return files;
}

/** The same of a folder of this machine; nothing where it is not there. */
export async function readInstalledFiles(
  folder: string,
  wantedAs: (path: string) => string | undefined,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  try {
    // Some hundred small files: the threads that read whole trees would take longer to start than these to be read.
    for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
      const file = path.join(entry.parentPath, entry.name);
      const name = entry.isFile() ? wantedAs(path.relative(folder, file)) : undefined;
      if (name !== undefined) files.set(name, fs.readFileSync(file));
    }
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return new Map();
    throw new Failure("failed", `cannot read boot programs from "${folder}": ${systemReason(error)}`, { cause: error });
  }
  return files;
}

/**
 * The file of a package, fetched; undefined where nothing is to be fetched. Throws what `notFound` makes of the reason where it
 * cannot be had.
 */
export async function fetchedFile(
  { fetchPackage }: BootFileSources,
  request: { readonly name: string; readonly architecture: string },
  notFound: (cause: Failure) => Failure,
): Promise<string | undefined> {
  try {
    return await fetchPackage?.(request);
  } catch (error) {
    throw error instanceof Failure && error.code === "not-found" ? notFound(error) : error;
  }
}

/** Why something cannot be found, with why it could not be fetched either. */
export function withCause(message: string, cause: Failure | undefined): string {
  return cause === undefined ? message : `${message}, and apt ${cause.message}`;
}

/** A path under the folder where this machine has its programs. */
export function installedPath({ machineFolder = "/usr/lib" }: BootFileSources, ...names: readonly string[]): string {
  return path.join(machineFolder, ...names);
}

/** Throws `not-found` where one of the sources that a user names gave nothing. */
export function refuseUnused(given: readonly string[], used: readonly string[]): void {
  const other = given.find((source) => !used.includes(source));
  if (other === undefined) return;
  throw new Failure("not-found", `cannot take GRUB from "${other}": it has nothing that this disk needs`, {
    hint: "it takes grub-pc-bin for BIOS and grub-efi-amd64-bin for UEFI, or signed programs for Secure Boot",
  });
}

async function wholeContent({ content, sizeBytes }: FileEntry): Promise<Uint8Array> {
  const whole = new Uint8Array(sizeBytes);
  for await (const { at, bytes } of content ?? []) whole.set(bytes, at);
  return whole;
}
