import * as path from "node:path/posix";
import { Failure } from "../../base/index.ts";
import { openSource, type FileEntry } from "../../tree/index.ts";

/** GRUB's name for a kind of machine and firmware. */
export type GrubPlatform = "i386-pc" | "i386-efi" | "x86_64-efi";

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

const packageOf: Readonly<Record<GrubPlatform, string>> = {
  "i386-pc": "grub-pc-bin",
  "i386-efi": "grub-efi-ia32-bin",
  "x86_64-efi": "grub-efi-amd64-bin",
};
/** The largest file is kernel.img of some hundred kilobytes. */
const largestFileBytes = 4 * 1024 * 1024;
const largestTotalBytes = 64 * 1024 * 1024;

/** What starts a machine: images, modules, lists; no programs. */
const wantedName = /\.(img|mod|lst)$/;

/**
 * Reads GRUB's files of a platform. They may lie in the folder itself or in one named as the platform, however deep.
 * Throws `not-found` where there are none.
 */
export async function readPlatformFiles({ platform, from }: PlatformFilesOptions): Promise<PlatformFiles> {
  const name = from ?? `/usr/lib/grub/${platform}`;
  const files = new Map<string, Uint8Array>();
  let totalBytes = 0;
  try {
    await using source = await openSource(name);
    for await (const batch of source.entries()) {
      for (const entry of batch) {
        if (entry.kind !== "file" || !isOfPlatform(entry.path, platform)) continue;
        totalBytes += entry.sizeBytes;
        if (entry.sizeBytes > largestFileBytes || totalBytes > largestTotalBytes) {
          throw new Failure(
            "damaged",
            `cannot read GRUB from "${name}": "${entry.path}" is too large to be a part of it`,
          );
        }
        files.set(path.basename(entry.path), await wholeContent(entry));
      }
    }
  } catch (error) {
    if (from === undefined && error instanceof Failure && error.code === "not-found")
      throw noFiles(name, platform, error);
    throw error;
  }
  if (!files.has("kernel.img")) throw noFiles(name, platform);
  return { platform, name, files };
}

/** One of the files, which has to be there. */
export function platformFile({ files, name }: PlatformFiles, fileName: string): Uint8Array {
  const bytes = files.get(fileName);
  if (bytes !== undefined) return bytes;
  throw new Failure("not-found", `cannot make a boot loader from "${name}": it has no ${fileName}`);
}

function isOfPlatform(entryPath: string, platform: string): boolean {
  const folder = path.dirname(entryPath);
  return (folder === "." || path.basename(folder) === platform) && wantedName.test(entryPath);
}

async function wholeContent({ content, sizeBytes }: FileEntry): Promise<Uint8Array> {
  const whole = new Uint8Array(sizeBytes);
  for await (const { at, bytes } of content ?? []) whole.set(bytes, at);
  return whole;
}

function noFiles(name: string, platform: GrubPlatform, cause?: Failure): Failure {
  return new Failure("not-found", `cannot make a boot loader: "${name}" holds no GRUB for ${platform}`, {
    hint: `install Debian's ${packageOf[platform]}, or name its package file or a folder with GRUB's modules`,
    cause,
  });
}
