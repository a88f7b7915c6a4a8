import { Failure, OutputFile, type JobOptions } from "../base/index.ts";
import { installChain } from "../boot/chain/index.ts";
import type { Kernel } from "../boot/index.ts";
import { installGrub } from "../boot/grub/index.ts";
import { FileDevice, SliceDevice } from "../device/index.ts";
import { makeFileSystem, measureFileSystem } from "../filesystem/index.ts";
import {
  defaultGeometry,
  planTable,
  writeTable,
  type PartitionRequest,
  type PlannedPartition,
} from "../partition/index.ts";
import { openSource, type TreeSource } from "../tree/index.ts";
import { configureDebian } from "./configure-debian.ts";
import { makeDebian } from "./debian-disk.ts";
import { diskSizeFor } from "./disk-size.ts";
import { packageFetcher, timeOfMaking, uuidMaker } from "./making/index.ts";
import { planPartitions, type MakingFacts, type WantedPartition } from "./plan-partitions.ts";
import type { MadeSystem } from "../debian/index.ts";
import type { BootRequest, CreateDiskRequest, CreatedDisk } from "./request.ts";
import { showDisk } from "./show-disk.ts";

const sectorBytes = 512;
/** How long the boot menu waits for a key unless told. */
const usualMenuSeconds = 3;
/** The kernel's messages go to both; the last one is where a shell is. */
const serialArguments = ({ architecture }: Kernel): string => {
  return `console=tty0 console=${architecture === "arm64" ? "ttyAMA0" : "ttyS0"},115200`;
};

/** A partition whose size is known, or is what the others leave. */
interface SizedPartition extends WantedPartition {
  readonly size: number | "rest";
}

/** Makes a disk of a new file, which appears under its name whole or not at all. */
export async function createDisk(request: CreateDiskRequest, job: JobOptions = {}): Promise<CreatedDisk> {
  const nextUuid = uuidMaker(request.uuid);
  const { now, isReproducible } = timeOfMaking(request);
  const wanted = planPartitions(request, { now, isReproducible, nextUuid });
  const system = await makeSystemFor(request, wanted, now, job);
  const sized: SizedPartition[] = [];
  for (const partition of wanted) sized.push(await decideSize(request, partition, system, job));
  const sizeBytes = request.sizeBytes === "auto" ? diskSizeFor(request, sized.map(knownSize)) : request.sizeBytes;
  const diskUuid = nextUuid();
  const plan = planTable({
    sizeBytes,
    table: request.table,
    layout: request.layout,
    ...(request.geometry === undefined ? {} : { geometry: request.geometry }),
    partitions: sized.map(toTableRequest),
    ...(request.table === "gpt"
      ? { diskGuid: diskUuid }
      : { diskSignature: Number.parseInt(diskUuid.slice(0, 8), 16) }),
    randomUuid: nextUuid,
  });

  await using output = OutputFile.create(request.path, { force: request.force });
  await using device = FileDevice.overNewFile(request.path, output.fd, sizeBytes, { preallocate: request.preallocate });
  await writeTable(device, plan);
  const warnings = [...(system?.warnings ?? [])];
  for (const [n, place] of plan.partitions.entries()) {
    const partition = sized[n];
    if (partition?.fileSystem === undefined) continue;
    await using sources = await openSources(partition, system, [output.partPath, request.path]);
    const { startLba, sectorCount } = place;
    const slice = new SliceDevice(device, startLba * sectorBytes, sectorCount * sectorBytes);
    const onDisk = { startLba, geometry: request.geometry ?? defaultGeometry };
    const options = { wanted: partition.fileSystem, place: onDisk, ...job };
    warnings.push(...(await makeFileSystem(slice, sources.list, options)));
  }
  const { boot } = request;
  if (boot !== undefined && boot.firmwares.length > 0) {
    const [root, own] = [sized.findIndex(isRoot), sized.findIndex(isBoot)].map((n) => plan.partitions[n]);
    warnings.push(...(await installBoot(device, boot, { root, own, now }, job)));
  }
  if (boot?.chain === true) {
    const { hasBootSector } = await installChain(device);
    if (!hasBootSector) warnings.push("the active partition has no boot sector yet: the disk starts once it has one");
  }
  if (request.debian?.configure === true) {
    await device.flush();
    await configureDebian(output.partPath, request.debian.env, job);
  }
  output.commit();
  return { report: await showDisk(request.path), warnings };
}

function isRoot(partition: SizedPartition): boolean {
  return partition.isRoot;
}

/** The Debian system that the root is to hold. */
async function makeSystemFor(
  { debian, boot, nowMs }: CreateDiskRequest,
  wanted: readonly WantedPartition[],
  now: MakingFacts["now"],
  job: JobOptions,
): Promise<MadeSystem | undefined> {
  if (debian === undefined) return undefined;
  if (debian.configure && boot?.firmwares.includes("bios") !== true) {
    throw new Failure("usage", "cannot configure the system beforehand: the disk does not start by BIOS", {
      hint: "add --boot bios or --boot bios,uefi",
    });
  }
  const fileSystem = wanted.find(({ isRoot: isForRoot }) => isForRoot)?.fileSystem;
  if (fileSystem?.kind !== "ext4" || fileSystem.uuid === undefined) {
    throw new Failure("usage", "cannot put Debian on the disk: its root is to be ext4", {
      hint: "leave --partition out, or label an ext4 partition root",
    });
  }
  const efi = wanted.find(({ type }) => type === "efi")?.fileSystem;
  const efiPartition = efi?.uuid === undefined ? {} : { efiPartition: `UUID=${fatVolumeId(efi.uuid)}` };
  return await makeDebian(debian, { rootUuid: fileSystem.uuid, ...efiPartition, now, nowMs }, job);
}

/** As Linux writes it: the first half of a UUID, or what is such a number already. */
function fatVolumeId(uuid: string): string {
  const digits = uuid.replaceAll("-", "").slice(0, 8).toUpperCase();
  return `${digits.slice(0, 4)}-${digits.slice(4)}`;
}

function isBoot(partition: SizedPartition): boolean {
  return partition.isBoot;
}

interface BootPlaces {
  readonly root: PlannedPartition | undefined;
  /** The partition that is mounted at `/boot`, where there is one. */
  readonly own: PlannedPartition | undefined;
  readonly now: MakingFacts["now"];
}

/** Installs GRUB, with a menu of the kernels that the root has; gives warnings. */
async function installBoot(
  device: FileDevice,
  boot: BootRequest,
  { root, own, now }: BootPlaces,
  job: JobOptions,
): Promise<readonly string[]> {
  const { firmwares, serial, secureBoot, grubFrom = [], machineFolder, cacheFolder } = boot;
  const { timeoutSeconds = usualMenuSeconds } = boot;
  if (root === undefined) throw new Failure("usage", "cannot make the disk start: no partition is for Linux");
  const warnings: string[] = [];
  const sources = {
    given: grubFrom,
    ...(machineFolder === undefined ? {} : { machineFolder }),
    ...(cacheFolder === undefined ? {} : { fetchPackage: packageFetcher(cacheFolder, job) }),
  };
  await installGrub(device, {
    firmwares,
    partition: root.number,
    ...(own === undefined ? {} : { bootPartition: own.number }),
    config: { timeoutSeconds, serial, ...(serial ? { kernelArguments: serialArguments } : {}) },
    now,
    secureBoot,
    sources,
    onWarning: (message) => warnings.push(message),
  });
  return warnings;
}

/** Finds the size of a partition that is to be as large as its files need. */
async function decideSize(
  request: CreateDiskRequest,
  partition: WantedPartition,
  system: MadeSystem | undefined,
  job: JobOptions,
): Promise<SizedPartition> {
  const { fileSystem, size } = partition;
  if (size !== "auto" && !(request.sizeBytes === "auto" && size === "rest")) return { ...partition, size };
  if (fileSystem === undefined) {
    throw new Failure("usage", "cannot find the size of a partition without a file system", { hint: "give it a size" });
  }
  if (partition.from.includes("-")) {
    throw new Failure("usage", "cannot find the size that standard input needs: it can be read only once", {
      hint: "give a size, or save the input to a file first",
    });
  }
  await using sources = await openSources(partition, system, [request.path]);
  const measured = await measureFileSystem(sources.list, fileSystem, job);
  return { ...partition, size: measured.sizeBytes, fileSystem: measured.wanted };
}

function knownSize({ size }: SizedPartition): number {
  if (size === "rest") throw new Failure("usage", "cannot give the rest of a disk whose size is to be found");
  return size;
}

function toTableRequest({ size, type, active, name, guid }: SizedPartition): PartitionRequest {
  return {
    sizeBytes: size,
    type,
    active,
    ...(name === undefined ? {} : { label: name }),
    ...(guid === undefined ? {} : { guid }),
  };
}

async function openSources(
  { from, isRoot: isForRoot }: WantedPartition,
  system: MadeSystem | undefined,
  leaveOut: readonly string[],
): Promise<AsyncDisposable & { readonly list: readonly TreeSource[] }> {
  await using stack = new AsyncDisposableStack();
  const list: TreeSource[] = [];
  if (isForRoot && system !== undefined) list.push(stack.use(system.tree.source("Debian")));
  for (const path of from) list.push(stack.use(await openSource(path, { leaveOut })));
  const open = stack.move();
  return { list, [Symbol.asyncDispose]: () => open.disposeAsync() };
}
