import * as fs from "node:fs";
import { Failure, OutputFile, type JobOptions } from "../base/index.ts";
import {
  findWholeGrub,
  generatedTree,
  installWholeGrub,
  wholeGrubPrograms,
  type GrubPlatform,
  type WholeGrub,
} from "../boot/grub/index.ts";
import { FileDevice, SliceDevice, UnflushedDevice, type BlockDevice } from "../device/index.ts";
import { packageFetcher, timeOfMaking, uuidMaker } from "../disk/making/index.ts";
import { makeFileSystem, openFileSystem } from "../filesystem/index.ts";
import { defaultGeometry, readTable, writeTable } from "../partition/index.ts";
import { addTo } from "./add-isos.ts";
import { isosRoot } from "./isos-root.ts";
import { writeBootSums } from "./check/index.ts";
import {
  bootNumber,
  entriesFolder,
  grubPartition,
  indexName,
  isosLabel,
  isosNumber,
  memdiskPath,
  menuFolder,
  settingsPath,
} from "./key-layout.ts";
import { settingsText } from "./key-settings.ts";
import { listKey, type KeyReport } from "./list-key.ts";
import { indexText } from "./menu-files.ts";
import { menuScript } from "./menu-script.ts";
import { openKeyOn } from "./open-key.ts";
import { planKey, type KeyPlan, type KeyWish } from "./plan-key.ts";
import { isosFor } from "./room-for-isos.ts";

export interface CreateKeyRequest extends Omit<NewKeyRequest, "isosKind" | "isosBytes"> {
  /** Absent: ext4 where one of the ISO files is too large for FAT32. */
  readonly isosKind?: NewKeyRequest["isosKind"];
  /** ISO files to be on it from the start; `auto` is then the size that just holds them. */
  readonly isos?: readonly string[];
  /** Replace an existing file. */
  readonly force: boolean;
}

export interface NewKeyRequest extends KeyWish {
  readonly path: string;
  /** Menu and kernels use the first serial port too. */
  readonly serial: boolean;
  /** It starts where Secure Boot is on, too: by a distribution's signed shim and GRUB. */
  readonly secureBoot?: boolean;
  /** The first entry of the menu is started after so long. Absent: it waits. */
  readonly timeoutSeconds?: number;
  /** Folders and packages to take GRUB from, before what this machine has. */
  readonly grubFrom: readonly string[];
  /** Where packages that are fetched are kept. Absent: none are fetched. */
  readonly cacheFolder?: string;
  /** Everything random is derived from it. */
  readonly uuid?: string;
  readonly nowMs: number;
  readonly sourceDateEpoch?: number;
}

export interface CreatedKey {
  readonly report: KeyReport;
  /** What the key cannot do, one sentence each. */
  readonly warnings: readonly string[];
}

/** A key that starts nowhere else is no key; the others are for fewer machines. */
const platforms: readonly KeyPlatform[] = [
  { platform: "i386-pc", isNeeded: true, machines: "with BIOS" },
  { platform: "x86_64-efi", isNeeded: true, machines: "with UEFI" },
  {
    platform: "i386-efi",
    isNeeded: false,
    machines: "with UEFI of 32 bits",
    get: " (install grub-efi-ia32-bin)",
    getSigned: " (give shim-signed, shim-helpers-i386-signed and grub-efi-ia32-signed for i386 with --grub)",
  },
  {
    platform: "arm64-efi",
    isNeeded: false,
    machines: "of arm64",
    get: " (give grub-efi-arm64-bin with --grub)",
    getSigned: " (give shim-signed, shim-helpers-arm64-signed and grub-efi-arm64-signed for arm64 with --grub)",
  },
];

interface KeyPlatform {
  readonly platform: GrubPlatform;
  readonly isNeeded: boolean;
  /** For warnings: which they are, and what they need of GRUB, and of signed programs. */
  readonly machines: string;
  readonly get?: string;
  readonly getSigned?: string;
}

/** Where Debian's syslinux-common has what starts disks in memory. */
const installedMemdisk = "/usr/lib/syslinux/memdisk";

/** Makes a key of a new file, which appears under its name whole or not at all. */
export async function createKey(request: CreateKeyRequest, job: JobOptions = {}): Promise<CreatedKey> {
  const { path, force, isos = [], nowMs, sourceDateEpoch } = request;
  await using output = OutputFile.create(path, { force });
  await using stack = new AsyncDisposableStack();
  const deviceOf = (sizeBytes: number): BlockDevice => {
    return new UnflushedDevice(stack.use(FileDevice.overNewFile(path, output.fd, sizeBytes)), 0, sizeBytes);
  };
  const wish = { ...request, ...(await isosFor(request.isosKind, isos)) };
  const { device, warnings } = await makeKey(wish, deviceOf, job);
  const addedMs = sourceDateEpoch === undefined ? nowMs : sourceDateEpoch * 1000;
  const adding = { key: path, isos, isRehearsal: false, nowMs: addedMs, open: () => openKeyOn(device, path) };
  const added = isos.length === 0 ? [] : await addTo(adding, job);
  output.commit();
  return { report: await listKey(path), warnings: [...warnings, ...added.flatMap((one) => one.warnings)] };
}

/** Makes a key of an empty device, which is made in the size that the key has. */
export async function makeKey<Device extends BlockDevice>(
  request: NewKeyRequest,
  deviceOf: (sizeBytes: number) => Device,
  job: JobOptions = {},
): Promise<{ readonly device: Device; readonly warnings: readonly string[] }> {
  const { path, serial, timeoutSeconds, label = isosLabel, secureBoot: isSigned = false } = request;
  if (isSigned && request.isosKind === "exfat") throw unsignedExfat(path);
  const { now, isReproducible } = timeOfMaking(request);
  const wanted = platforms.map((one) => ({ ...one, isSigned }));
  const grub = await findWholeGrub(wanted, sourcesOf(request, job));
  const programs = wholeGrubPrograms(grub, { folder: menuFolder });
  const wish = { ...request, programBytes: totalBytes(programs.values()) };
  const plan = planKey(wish, { now, isReproducible, nextUuid: uuidMaker(request.uuid) });
  const memdisk = fs.existsSync(installedMemdisk) ? fs.readFileSync(installedMemdisk) : undefined;

  const device = deviceOf(plan.table.sizeBytes);
  await writeTable(device, plan.table);
  await make(device, plan.isos, plan.isos.fileSystem.kind === "ext4" ? [isosRoot(now)] : [], job);
  const isosUuid = await uuidOf(new SliceDevice(device, plan.isos.startBytes, plan.isos.sizeBytes));
  const { kind } = plan.table;
  const settings = settingsText({
    isosUuid,
    isosLabel: label,
    isosPartition: grubPartition(kind, isosNumber(kind)),
    serial,
    ...(isSigned ? { secureBootSigners: [...new Set(grub.signed.flatMap(({ signers }) => signers))] } : {}),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
  });
  const place = { table: kind, partition: bootNumber(kind), folder: menuFolder };
  const files = new Map<string, Uint8Array>([
    ...programs,
    [`${menuFolder}/grub.cfg`.slice(1), Buffer.from(menuScript)],
    [settingsPath.slice(1), Buffer.from(settings)],
    [`${entriesFolder}/${indexName}`.slice(1), Buffer.from(indexText([]))],
    ...(memdisk === undefined ? [] : [[memdiskPath.slice(1), memdisk] as const]),
  ]);
  await using tree = generatedTree("GRUB", files, now);
  await make(device, plan.boot, [tree], job);
  const table = await readTable(device);
  if (table === undefined) throw new Failure("failed", `cannot make the key "${path}": its table cannot be read back`);
  await installWholeGrub(device, table, grub, place);
  await writeBootSums(device, table, now);
  return { device, warnings: warningsOf(grub, { hasMemdisk: memdisk !== undefined, isSigned }) };
}

function unsignedExfat(path: string): Failure {
  const why = "no signed GRUB reads exFAT, nor loads a module for it";
  return new Failure("usage", `cannot make the key "${path}" with isos as exFAT for Secure Boot: ${why}`, {
    hint: "leave out --fs, or use --fs ext4 for files of 4 GiB and more",
  });
}

function sourcesOf({ grubFrom, cacheFolder }: NewKeyRequest, job: JobOptions): Parameters<typeof findWholeGrub>[1] {
  return {
    given: grubFrom,
    ...(cacheFolder === undefined ? {} : { fetchPackage: packageFetcher(cacheFolder, job) }),
  };
}

async function make(
  device: BlockDevice,
  { startBytes, sizeBytes, startLba, fileSystem }: KeyPlan["boot"],
  sources: Parameters<typeof makeFileSystem>[1],
  job: JobOptions,
): Promise<void> {
  const place = { startLba, geometry: defaultGeometry };
  await makeFileSystem(new SliceDevice(device, startBytes, sizeBytes), sources, { wanted: fileSystem, place, ...job });
}

/** As GRUB and the tools of its kind spell it. */
async function uuidOf(partition: SliceDevice): Promise<string> {
  await using fileSystem = await openFileSystem(partition);
  return fileSystem.info.uuid ?? "";
}

function totalBytes(files: Iterable<Uint8Array>): number {
  let total = 0;
  for (const { length } of files) total += length;
  return total;
}

function warningsOf(
  { platforms: found, signed }: WholeGrub,
  { hasMemdisk, isSigned }: { readonly hasMemdisk: boolean; readonly isSigned: boolean },
): readonly string[] {
  const has = (some: readonly { readonly platform: GrubPlatform }[], platform: GrubPlatform): boolean =>
    some.some((one) => one.platform === platform);
  const missing = platforms.filter(({ platform }) => !has(found, platform) && !has(signed, platform));
  const unsigned = platforms.filter(({ platform }) => {
    return isSigned && platform !== "i386-pc" && has(found, platform) && !has(signed, platform);
  });
  return [
    ...missing.map(({ machines, get = "" }) => `the key will not start machines ${machines}${get}`),
    ...unsigned.map(
      ({ machines, getSigned = "" }) => `with Secure Boot on, the key will not start machines ${machines}${getSigned}`,
    ),
    ...(hasMemdisk ? [] : ["ISO files that are loaded into memory will not start by BIOS (install syslinux-common)"]),
  ];
}
