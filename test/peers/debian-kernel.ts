/**
 * A Debian kernel in QEMU that mounts images: the last word on file systems that the kernel of this machine need not
 * know. It runs from memory.
 */
import * as fs from "node:fs";
import { openSource } from "../../src/tree/index.ts";
import { factsOfTree, type FileFacts } from "../filesystem/file-facts.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { busybox, makeInitramfs } from "./initramfs.ts";
import { someKernel } from "./qemu.ts";
import { shownBy } from "./shown-by.ts";

const limitMs = 180_000;
/** How many images go to one machine. */
const imagesAtOnce = 20;
/** How much of what is in one image is brought back. */
const roomMiB = 64;

/** What tests with this kernel need, for `skipWithout`. */
export const kernelPeers: readonly string[] = ["qemu-system-x86_64", someKernel(), busybox];

/** An image that is to be mounted. */
export interface MountedImage {
  readonly image: string;
  readonly type: "exfat" | "ext4" | "iso9660" | "udf" | "vfat" | "xfs";
  /** Mount options. */
  readonly options?: string;
  /** Commands to run in the mounted root; the image is then mounted for writing, and changed. */
  readonly script?: string;
}

/** In the order in which they are loaded; aliases that the kernel would ask for by name come first. */
const modules =
  "virtio_pci virtio_blk crc32c_generic nls_cp437 nls_ascii nls_utf8 nls_iso8859-1 vfat exfat isofs udf ext4 xfs".split(
    " ",
  );

/** What the kernel finds in each image, in their order: the facts of every file by its path. */
export async function factsByKernel(images: readonly MountedImage[]): Promise<ReadonlyMap<string, FileFacts>[]> {
  await using folder = temporaryFolder();
  const initramfs = folder.join("initramfs");
  const found: ReadonlyMap<string, FileFacts>[] = [];
  for (let from = 0; from < images.length; from += imagesAtOnce) {
    const some = images.slice(from, from + imagesAtOnce);
    fs.writeFileSync(initramfs, makeInitramfs(modules, scriptFor(some)));
    const out = folder.join("out");
    fs.writeFileSync(out, "");
    fs.truncateSync(out, some.length * roomMiB * 2 ** 20);
    const said = await runKernel(initramfs, some, out);
    for (const [n, { image }] of some.entries()) {
      if (!said.includes(`image ${n} done`)) throw new Error(`the kernel could not read ${image}:\n${said}`);
      found.push(await factsIn(out, n, folder));
    }
  }
  return found;
}

/** The files of one image, out of the tar that the kernel wrote of it. */
async function factsIn(out: string, number: number, folder: TemporaryFolder): Promise<Map<string, FileFacts>> {
  const tar = folder.join("tar");
  const bytes = Buffer.alloc(roomMiB * 2 ** 20);
  const fd = fs.openSync(out, "r");
  fs.readSync(fd, bytes, 0, bytes.length, number * bytes.length);
  fs.closeSync(fd);
  fs.writeFileSync(tar, bytes);
  await using source = await openSource(tar);
  return await factsOfTree(source);
}

function runKernel(initramfs: string, images: readonly MountedImage[], out: string): Promise<string> {
  const drives = images.map(({ image, script }) => {
    return `if=virtio,format=raw,file=${image},snapshot=${script === undefined ? "on" : "off"}`;
  });
  drives.push(`if=virtio,format=raw,file=${out},cache=unsafe`);
  const machine = ["-accel", "tcg", "-m", "384", "-display", "none", "-nodefaults", "-no-reboot", "-serial", "stdio"];
  const start = ["-kernel", someKernel(), "-initrd", initramfs, "-append", "console=ttyS0 quiet panic=-1"];
  const words = [...machine, ...start, ...drives.flatMap((drive) => ["-drive", drive])];
  return shownBy("qemu-system-x86_64", words, { limitMs });
}

function scriptFor(images: readonly MountedImage[]): readonly string[] {
  const mounting = images.flatMap((image, n) =>
    commandsFor(image, { number: n, device: deviceName(n), out: deviceName(images.length) }),
  );
  return [...mounting, "sync", "poweroff -f"];
}

function commandsFor(
  { type, options, script }: MountedImage,
  { number, device, out }: { readonly number: number; readonly device: string; readonly out: string },
): string[] {
  const words = [script === undefined ? "ro" : "rw", ...(options === undefined ? [] : [options])].join(",");
  const change = script === undefined ? "" : `(cd /mnt && ${script}) && `;
  const copy = `tar c -C /mnt . | dd of=${out} bs=1M seek=${number * roomMiB} 2> /dev/null`;
  return [
    `mount -t ${type} -o ${words} ${device} /mnt && ${change}${copy} && umount /mnt && echo image ${number} done`,
  ];
}

function deviceName(number: number): string {
  return `/dev/vd${String.fromCharCode("a".charCodeAt(0) + number)}`;
}
