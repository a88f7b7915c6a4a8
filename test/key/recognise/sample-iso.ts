/** Tiny ISOs that are laid out as those of distributions. */
import * as fs from "node:fs";
import * as path from "node:path";
import * as zlib from "node:zlib";
import { FileReader } from "../../../src/device/index.ts";
import { recogniseIso, type RecognisedIso } from "../../../src/key/recognise/index.ts";
import { x86SetupHeader } from "../../../src/boot/kernel-records.ts";
import { runPeer } from "../../peers/peer.ts";
import { temporaryFolder } from "../../temp.ts";
import { cpioOf } from "./cpio.ts";

/** A file's content, or what it is. */
export type SampleFile = string | Uint8Array;
export type SampleFiles = Readonly<Record<string, SampleFile>>;

/** The header of a kernel for 64 bits, and nothing behind it. */
export function kernelStub(sizeBytes = 4096): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  x86SetupHeader.patch(bytes, { magic: "HdrS", version: 0x20f, loadFlags: 1 });
  return bytes;
}

/** An initrd of files with these names. */
export function initrdOf(...names: readonly string[]): Uint8Array {
  return zlib.gzipSync(cpioOf(names));
}

export const liveBoot = initrdOf(
  "init",
  "scripts/live",
  "lib/modules/6/kernel/fs/fat/vfat.ko",
  "lib/modules/6/ext4.ko",
);
export const casper = initrdOf("init", "scripts/casper", "lib/modules/6/vfat.ko.zst", "usr/bin/ntfs-3g");
export const dracutLive = initrdOf("init", "usr/sbin/iso-scan", "usr/sbin/dmsquash-live-root", "lib/exfat.ko.xz");
export const anaconda = initrdOf(
  "usr/sbin/iso-scan",
  "usr/sbin/dmsquash-live-root",
  "usr/lib/anaconda-lib.sh",
  "vfat.ko",
);
export const archiso = initrdOf("init", "hooks/archiso", "hooks/archiso_loop_mnt", "usr/lib/modules/6/ext4.ko.zst");
/** Nothing tells what it follows. */
export const plain = initrdOf("init", "bin/busybox");

/** Makes an ISO with these files. */
export function makeIso(image: string, files: SampleFiles, label = "SAMPLE", options: readonly string[] = []): void {
  const tree = `${image}.tree`;
  fs.mkdirSync(tree);
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(tree, name);
    fs.mkdirSync(name.endsWith("/") ? file : path.dirname(file), { recursive: true });
    if (!name.endsWith("/")) fs.writeFileSync(file, content);
  }
  runPeer("xorriso", ["-as", "mkisofs", "-quiet", "-R", "-V", label, ...options, "-o", image, tree]);
  fs.rmSync(tree, { recursive: true });
}

/** What an ISO with these files is recognised as. */
export async function recogniseSample(
  files: SampleFiles,
  label = "SAMPLE",
  options: readonly string[] = [],
): Promise<RecognisedIso> {
  await using folder = temporaryFolder();
  makeIso(folder.join("image"), files, label, options);
  await using reader = await FileReader.open(folder.join("image"));
  return await recogniseIso(reader); // while it is open
}
