import { Failure } from "../../base/index.ts";
import type { BlockDevice } from "../../device/index.ts";
import { editFileSystem, type EditableFileSystem } from "../../filesystem/index.ts";
import type { Timestamp } from "../../tree/index.ts";

/** Old ids with the new ones, as `blkid` writes both. */
export type NewIds = ReadonlyMap<string, string>;

/**
 * Files that name disks, partitions and file systems, as the root of a system, a partition for /boot, or one for firmware
 * has them. `*` stands for any name, or a part of one.
 */
const places: readonly string[] = [
  "etc/fstab",
  "etc/crypttab",
  "etc/default/grub",
  "etc/default/grub.d/*.cfg",
  "etc/kernel/cmdline",
  "etc/cmdline.d/*.conf",
  "etc/dracut.conf.d/*.conf",
  "etc/initramfs-tools/conf.d/*",
  "etc/lilo.conf",
  "EFI/*/*.cfg",
  "EFI/*/*.conf",
  "EFI/*/*.efi",
  "cmdline.txt",
  ...["", "boot/"].flatMap((folder) => [
    `${folder}grub/*.cfg`,
    `${folder}grub2/*.cfg`,
    `${folder}grub/*/load.cfg`,
    `${folder}grub/menu.lst`,
    `${folder}loader/*.conf`,
    `${folder}loader/entries/*.conf`,
    `${folder}extlinux/*.conf`,
    `${folder}syslinux/*.cfg`,
    `${folder}firmware/cmdline.txt`,
    `${folder}refind_linux.conf`,
  ]),
];

const textLimitBytes = 4 * 2 ** 20;

/** Puts new ids in place of old ones in the files of a file system that name them. Gives the paths that were changed. */
export async function followIds(device: BlockDevice, ids: NewIds, now: Timestamp): Promise<readonly string[]> {
  const replaced = replacer(ids);
  await using fileSystem = await editFileSystem(device, { now });
  const changed: string[] = [];
  for (const place of places) {
    for (const { id, path } of await filesAt(fileSystem, place.split("/"))) {
      const before = await contentOf(fileSystem, id);
      const after = before === undefined ? undefined : replaced(before);
      if (after === undefined) continue;
      await fileSystem.replaceContent(id, { sizeBytes: after.length, content: [{ at: 0, bytes: after }] });
      changed.push(path);
    }
  }
  if (changed.length > 0) await fileSystem.commit();
  return changed;
}

/** The new bytes of a file; undefined where it names none of the ids. */
function replacer(ids: NewIds): (bytes: Buffer) => Buffer | undefined {
  const known = new Map([...ids].map(([before, after]) => [before.toLowerCase(), after]));
  const any = [...known.keys()].map((id) => id.replace(/[^0-9a-z]/g, "\\$&")).join("|");
  const pattern = new RegExp(`(?<![\\w-])(?:${any})(?![\\w-])`, "gi");
  return (bytes) => {
    if (known.size === 0) return undefined;
    const text = bytes.toString("latin1");
    const after = text.replace(pattern, (found) => {
      const id = known.get(found.toLowerCase()) ?? found;
      return found === found.toUpperCase() && /[A-F]/.test(found) ? id.toUpperCase() : id;
    });
    return after === text ? undefined : Buffer.from(after, "latin1");
  };
}

interface FoundFile {
  readonly path: string;
  readonly id: number;
}

async function filesAt(fileSystem: EditableFileSystem, words: readonly string[]): Promise<readonly FoundFile[]> {
  let found: FoundFile[] = [{ path: "", id: fileSystem.rootId }];
  for (const word of words) {
    const next: FoundFile[] = [];
    for (const { path, id } of found) {
      if ((await fileSystem.stat(id)).kind !== "directory") continue;
      for (const name of await namesLike(fileSystem, id, word)) {
        const inner = await fileSystem.find(id, name);
        if (inner !== undefined) next.push({ path: `${path}/${name}`, id: inner });
      }
    }
    found = next;
  }
  const files: FoundFile[] = [];
  for (const one of found) if ((await fileSystem.stat(one.id)).kind === "file") files.push(one);
  return files;
}

async function namesLike(fileSystem: EditableFileSystem, id: number, word: string): Promise<readonly string[]> {
  if (!word.includes("*")) return [word];
  const [start = "", end = ""] = word.split("*");
  const names: string[] = [];
  const isLike = (name: string): boolean => name.length >= word.length - 1 && name.startsWith(start);
  for await (const batch of fileSystem.list(id)) {
    for (const { name } of batch) if (isLike(name) && name.toLowerCase().endsWith(end)) names.push(name);
  }
  return names;
}

/** Undefined where it is too large to be one of those that name ids. */
async function contentOf(fileSystem: EditableFileSystem, id: number): Promise<Buffer | undefined> {
  const { sizeBytes } = await fileSystem.stat(id);
  if (sizeBytes === 0 || sizeBytes > textLimitBytes) return undefined;
  const bytes = Buffer.alloc(sizeBytes);
  try {
    for await (const piece of fileSystem.content(id)) bytes.set(piece.bytes, piece.at);
  } catch (error) {
    if (error instanceof Failure && error.code === "unsupported") return undefined; // encrypted, or in other ways not to be read
    throw error;
  }
  return bytes;
}
