import { Failure, OutputFile, type JobOptions } from "../base/index.ts";
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
import { diskSizeFor } from "./disk-size.ts";
import { packageFetcher } from "./fetch-packages.ts";
import { uuidMaker } from "./identifiers.ts";
import { planPartitions, type MakingFacts, type WantedPartition } from "./plan-partitions.ts";
import type { BootRequest, CreateDiskRequest, CreatedDisk } from "./request.ts";
import { showDisk } from "./show-disk.ts";
import { timeOfMaking } from "./time-of-making.ts";

const sectorBytes = 512;
/** How long the boot menu waits for a key. */
const menuSeconds = 3;
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
  const sized: SizedPartition[] = [];
  for (const partition of wanted) sized.push(await decideSize(request, partition, job));
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
  const warnings: string[] = [];
  for (const [n, place] of plan.partitions.entries()) {
    const partition = sized[n];
    if (partition?.fileSystem === undefined) continue;
    await using sources = await openSources(partition.from, [output.partPath, request.path]);
    const { startLba, sectorCount } = place;
    const slice = new SliceDevice(device, startLba * sectorBytes, sectorCount * sectorBytes);
    const onDisk = { startLba, geometry: request.geometry ?? defaultGeometry };
    const options = { wanted: partition.fileSystem, place: onDisk, ...job };
    warnings.push(...(await makeFileSystem(slice, sources.list, options)));
  }
  if (request.boot !== undefined)
    await installBoot(device, request.boot, plan.partitions[sized.findIndex(isRoot)], now, job);
  output.commit();
  return { report: await showDisk(request.path), warnings };
}

function isRoot(partition: SizedPartition): boolean {
  return partition.isRoot;
}

/** Installs GRUB, with a menu of the kernels that the root has. */
async function installBoot(
  device: FileDevice,
  { firmwares, serial, secureBoot, grubFrom = [], machineFolder, cacheFolder }: BootRequest,
  root: PlannedPartition | undefined,
  now: MakingFacts["now"],
  job: JobOptions,
): Promise<void> {
  if (root === undefined) throw new Failure("usage", "cannot make the disk start: no partition is for Linux");
  const config = { timeoutSeconds: menuSeconds, serial, ...(serial ? { kernelArguments: serialArguments } : {}) };
  const sources = {
    given: grubFrom,
    ...(machineFolder === undefined ? {} : { machineFolder }),
    ...(cacheFolder === undefined ? {} : { fetchPackage: packageFetcher(cacheFolder, job) }),
  };
  await installGrub(device, { firmwares, partition: root.number, config, now, secureBoot, sources });
}

/** Finds the size of a partition that is to be as large as its files need. */
async function decideSize(
  request: CreateDiskRequest,
  partition: WantedPartition,
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
  await using sources = await openSources(partition.from, [request.path]);
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
  paths: readonly string[],
  leaveOut: readonly string[],
): Promise<AsyncDisposable & { readonly list: readonly TreeSource[] }> {
  await using stack = new AsyncDisposableStack();
  const list: TreeSource[] = [];
  for (const path of paths) list.push(stack.use(await openSource(path, { leaveOut })));
  const open = stack.move();
  return { list, [Symbol.asyncDispose]: () => open.disposeAsync() };
}
