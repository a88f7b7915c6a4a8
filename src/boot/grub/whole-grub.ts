import type { BlockDevice } from "../../device/index.ts";
import type { PartitionTable } from "../../partition/index.ts";
import { refuseUnused, type BootFileSources } from "./boot-files.ts";
import { makeBiosCore } from "./core-image.ts";
import { makeEfiImage } from "./efi-image.ts";
import { removablePath, signedMedium } from "./efi-programs.ts";
import { coreAt, writeBootSector, writeCore } from "./embed.ts";
import { planReplacing } from "./plan-embedding.ts";
import { findPlatformFiles, type EfiPlatform, type GrubPlatform, type PlatformFiles } from "./platform-files.ts";
import { findSignedPrograms, type SignedPrograms } from "./signed-programs.ts";

/** GRUB with all that a menu of foreign systems may want built in: it loads no module, of its own or of others. */
export interface WholeGrub {
  /** Of those asked for; what is not needed may be missing. */
  readonly platforms: readonly PlatformFiles[];
  /** What starts in its place where Secure Boot is on, for some of these platforms. */
  readonly signed: readonly SignedPrograms[];
}

interface WantedPlatform {
  readonly platform: GrubPlatform;
  readonly isNeeded: boolean;
  /** It is to start where Secure Boot is on, too; where it is needed, signed programs are as well. */
  readonly isSigned?: boolean;
}

/** Where `grub.cfg` is on the disk: the number of the partition, as the table counts, and the folder in it. */
export interface MenuPlace {
  readonly table: PartitionTable["kind"];
  readonly partition: number;
  readonly folder: string;
}

/** What keys and discs are formatted as. */
const fileSystems = ["fat", "exfat", "ext2", "ntfs", "udf", "iso9660"];
const script = "normal configfile test echo true sleep read eval regexp probe ls cat help tr loadenv minicmd".split(
  " ",
);
const search = ["search", "search_fs_uuid", "search_label", "search_fs_file"];
const disks = ["part_msdos", "part_gpt", "part_apple", "loopback", "memdisk"];
const packed = ["gzio", "hashsum", "gcry_md5", "gcry_sha1", "gcry_sha256", "gcry_sha512"];
const screen = ["terminal", "gfxterm", "gfxmenu", "font", "png", "jpeg", "video", "all_video", "gettext"];
const machine = ["halt", "reboot", "smbios", "cpuid", "acpi", "date", "datetime", "keystatus", "serial"];
const starting = ["boot", "chain", "linux", "multiboot", "multiboot2", "bsd"];
const common = [...fileSystems, ...script, ...search, ...disks, ...packed, ...screen, ...machine, ...starting];

/** What is of one kind of firmware. */
const ownModules: Readonly<Record<GrubPlatform, readonly string[]>> = {
  "i386-pc": ["biosdisk", "linux16", "ntldr", "drivemap", "vbe", "vga_text"],
  "i386-efi": ["efi_gop", "efi_uga", "efifwsetup", "linux16", "fixvideo"],
  "x86_64-efi": ["efi_gop", "efi_uga", "efifwsetup", "linux16", "fixvideo"],
  "arm64-efi": ["efi_gop", "efifwsetup", "fdt"],
};

/** GRUB for platforms, each of which is fetched where it is needed and not there. Throws `not-found` as that does. */
export async function findWholeGrub(wanted: readonly WantedPlatform[], sources: BootFileSources): Promise<WholeGrub> {
  const platforms: PlatformFiles[] = [];
  const signed: SignedPrograms[] = [];
  for (const { platform, isNeeded, isSigned = false } of wanted) {
    const files = await findPlatformFiles(platform, sources, { isNeeded });
    if (files !== undefined) platforms.push(files);
    if (!isSigned || platform === "i386-pc") continue;
    const programs = await findSignedPrograms(platform, sources, { isNeeded, medium: "removable" });
    if (programs !== undefined) signed.push(programs);
  }
  const used = [...platforms.map(({ name }) => name), ...signed.flatMap(({ from }) => from)];
  refuseUnused(sources.given ?? [], used);
  return { platforms, signed };
}

/**
 * Where the whole GRUB is beside a signed one, below the folder of the menu. GRUB's own words for a platform are in the
 * name, so that a menu finds it.
 */
function wholeName(platform: EfiPlatform): string {
  return `whole-${platform}.efi`;
}

/** By it a menu knows that it is shown by the whole GRUB, and not by a signed one, which has less. */
const wholeConfig = "set whole_grub=1\n";

/**
 * The programs for UEFI, by the paths where firmware looks for them. Where one is signed, that is what firmware starts;
 * the menu may then start the whole GRUB, which is beside it.
 */
export function wholeGrubPrograms(
  { platforms, signed }: WholeGrub,
  { folder }: Pick<MenuPlace, "folder">,
): ReadonlyMap<string, Uint8Array> {
  const programs = new Map<string, Uint8Array>(signed.flatMap((pair) => signedMedium(pair, folder)));
  for (const grub of platforms) {
    const { platform } = grub;
    if (platform === "i386-pc") continue;
    const isBeside = signed.some((pair) => pair.platform === platform);
    const path = isBeside ? `${folder.slice(1)}/${wholeName(platform)}` : removablePath(platform);
    programs.set(path, makeEfiImage(grub, { modules: modulesOf(grub, platform), prefix: folder, config: wholeConfig }));
  }
  return programs;
}

/** Makes the disk start by BIOS, if that is among the platforms. One core image fits every drive: it names none. */
export async function installWholeGrub(
  device: BlockDevice,
  table: PartitionTable,
  { platforms }: WholeGrub,
  { partition, folder }: MenuPlace,
): Promise<void> {
  const grub = platforms.find(({ platform }) => platform === "i386-pc");
  if (grub === undefined) return;
  const prefix = `(,${table.kind === "gpt" ? "gpt" : "msdos"}${partition})${folder}`;
  // There is room enough for it, and someone waits for the key.
  const core = makeBiosCore(grub, { modules: modulesOf(grub, "i386-pc"), prefix }, "quick");
  const lbas = await planReplacing(device, table, core);
  await writeCore(device, coreAt(core, lbas), lbas);
  await writeBootSector(device, grub, lbas[0] ?? 1);
}

/** Versions of GRUB differ in what they have. */
function modulesOf({ files }: PlatformFiles, platform: GrubPlatform): readonly string[] {
  return [...ownModules[platform], ...common].filter((name) => files.has(`${name}.mod`));
}
