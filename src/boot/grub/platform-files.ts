import * as path from "node:path/posix";
import { Failure } from "../../base/index.ts";
import {
  fetchedFile,
  installedPath,
  readBootFiles,
  readInstalledFiles,
  withCause,
  type BootFileSources,
} from "./boot-files.ts";

/** GRUB's name for a kind of machine and firmware. */
export type GrubPlatform = "i386-pc" | EfiPlatform;
export type EfiPlatform = "i386-efi" | "x86_64-efi" | "arm64-efi";

/** GRUB's own files for a platform, by name: modules, lists of them, boot sectors. */
export interface PlatformFiles {
  readonly platform: GrubPlatform;
  /** For messages: where they are from. */
  readonly name: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface PlatformFilesOptions {
  readonly platform: GrubPlatform;
  /** A folder, a tar or a Debian package such as `grub-pc-bin_2.06-13_amd64.deb`. Absent: those of this machine. */
  readonly from?: string;
}

const packageOf: Readonly<Record<GrubPlatform, { readonly name: string; readonly architecture: string }>> = {
  "i386-pc": { name: "grub-pc-bin", architecture: "amd64" },
  "i386-efi": { name: "grub-efi-ia32-bin", architecture: "amd64" },
  "x86_64-efi": { name: "grub-efi-amd64-bin", architecture: "amd64" },
  "arm64-efi": { name: "grub-efi-arm64-bin", architecture: "arm64" },
};

/** What starts a machine: images, modules, lists; no programs. And what says which platform it is all for. */
const wantedName = /(\.(img|mod|lst)|^modinfo\.sh)$/;

/**
 * Reads GRUB's files of a platform. They may lie in the folder itself or in one named as the platform, however deep.
 * Throws `not-found` where there are none.
 */
export async function readPlatformFiles({ platform, from }: PlatformFilesOptions): Promise<PlatformFiles> {
  const name = from ?? installedPath({}, "grub", platform);
  const found = await readFrom(name, platform, from === undefined ? readInstalledFiles : readBootFiles);
  if (found === undefined) throw noFiles(name, platform);
  return found;
}

/**
 * GRUB's files of a platform from what the user names, or what is installed. Undefined, or where they are needed
 * fetched, where there are none. Throws `not-found` where they are needed and cannot be had.
 */
export async function findPlatformFiles(
  platform: GrubPlatform,
  sources: BootFileSources,
  options: { readonly isNeeded: true },
): Promise<PlatformFiles>;
export async function findPlatformFiles(
  platform: GrubPlatform,
  sources: BootFileSources,
  options: { readonly isNeeded: boolean },
): Promise<PlatformFiles | undefined>;
export async function findPlatformFiles(
  platform: GrubPlatform,
  sources: BootFileSources,
  options: { readonly isNeeded: boolean },
): Promise<PlatformFiles | undefined> {
  for (const source of sources.given ?? []) {
    const given = await readFrom(source, platform, readBootFiles);
    if (given !== undefined) return given;
  }
  const folder = installedPath(sources, "grub", platform);
  const installed = await readFrom(folder, platform, readInstalledFiles);
  if (installed !== undefined || !options.isNeeded) return installed;
  const fetched = await fetchedFile(sources, packageOf[platform], (cause) => noFiles(folder, platform, cause));
  if (fetched === undefined) throw noFiles(folder, platform);
  return readPlatformFiles({ platform, from: fetched });
}

/** One of the files, which has to be there. */
export function platformFile({ files, name }: PlatformFiles, fileName: string): Uint8Array {
  const bytes = files.get(fileName);
  if (bytes !== undefined) return bytes;
  throw new Failure("not-found", `cannot make a boot loader from "${name}": it has no ${fileName}`);
}

async function readFrom(
  name: string,
  platform: GrubPlatform,
  read: typeof readBootFiles,
): Promise<PlatformFiles | undefined> {
  const files = await read(name, (entryPath) => {
    return isOfPlatform(entryPath, platform) ? path.basename(entryPath) : undefined;
  });
  return files.has("kernel.img") && saysPlatform(files, platform) ? { platform, name, files } : undefined;
}

function isOfPlatform(entryPath: string, platform: string): boolean {
  const folder = path.dirname(entryPath);
  return (folder === "." || path.basename(folder) === platform) && wantedName.test(path.basename(entryPath));
}

/** Whether files are of that platform by what they say of themselves, where they do. */
function saysPlatform(files: ReadonlyMap<string, Uint8Array>, platform: string): boolean {
  const text = Buffer.from(files.get("modinfo.sh") ?? []).toString("latin1");
  const [cpu, firmware] = ["target_cpu", "platform"].map((key) => {
    return new RegExp(String.raw`^grub_modinfo_${key}=["']?(\w+)`, "m").exec(text)?.[1];
  });
  return cpu === undefined || firmware === undefined || `${cpu}-${firmware}` === platform;
}

function noFiles(name: string, platform: GrubPlatform, cause?: Failure): Failure {
  const message = `cannot make a boot loader: "${name}" holds no GRUB for ${platform}`;
  return new Failure("not-found", withCause(message, cause), {
    hint: `install Debian's ${packageOf[platform].name}, or name its package file or a folder with GRUB's modules`,
    cause,
  });
}
