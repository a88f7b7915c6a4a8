import { Failure } from "../base/index.ts";
import { formatSize } from "../bytes/index.ts";
import { SliceReader, type BlockReader } from "../device/index.ts";
import { openFileSystem, planGrowth, probe } from "../filesystem/index.ts";
import { readTable, roomOf, type PartitionTable } from "../partition/index.ts";
import { partitionToResize, refuseBroken, type ResizedDisk } from "./resize.ts";
import { whyNotRead } from "./why-not-read.ts";

const sectorBytes = 512;

/** What is to grow, by the words of who wants it. */
export interface GrowthRequest {
  readonly path: string;
  /** The partition to grow; the last one unless told. */
  readonly partition?: number;
  /** The size that the file comes to; what it has unless told. */
  readonly sizeBytes?: number;
}

/** What is to become of each part, and where the file system is to begin and end. */
export interface DiskGrowth extends ResizedDisk {
  readonly table?: PartitionTable;
  readonly startBytes: number;
  readonly endBytes: number;
}

/** Plans how a disk grows. Throws where a part of it could not follow; changes nothing. */
export async function planDiskGrowth(reader: BlockReader, request: GrowthRequest): Promise<DiskGrowth> {
  const { path } = request;
  const file = { beforeBytes: reader.sizeBytes, afterBytes: sizeAfter(reader, request) };
  const table = await readTable(reader);
  if (table === undefined) {
    if (request.partition !== undefined) {
      throw new Failure(
        "not-found",
        `cannot grow partition ${request.partition} of "${path}": it has no partition table`,
      );
    }
    const fileSystem = await planFileSystem(reader, file.afterBytes, `"${path}"`);
    return { file, fileSystem, startBytes: 0, endBytes: file.afterBytes };
  }
  refuseBroken(path, table);
  const target = partitionToResize(table, request);
  const { number, startBytes, sizeBytes } = target;
  const room = await roomOf(reader, table, target, file.afterBytes);
  const { followedBy } = room;
  const endBytes = Math.max(startBytes + sizeBytes, room.endBytes);
  if (followedBy !== undefined && file.afterBytes > file.beforeBytes) throw notTheLast(path, number, followedBy);
  refuseUnreachable(path, table, file.afterBytes);
  const partition = { number, beforeBytes: sizeBytes, afterBytes: endBytes - startBytes };
  const slice = new SliceReader(reader, startBytes, sizeBytes);
  const fileSystem = await planFileSystem(slice, partition.afterBytes, `partition ${number} of "${path}"`);
  return { file, partition, fileSystem, table, startBytes, endBytes };
}

function sizeAfter({ sizeBytes }: BlockReader, request: GrowthRequest): number {
  if (request.sizeBytes === undefined) return sizeBytes;
  const wanted = Math.ceil(request.sizeBytes / sectorBytes) * sectorBytes;
  if (wanted >= sizeBytes) return wanted;
  const [there, asked] = [sizeBytes, wanted].map((size) => `${formatSize(size)} (${size} bytes)`);
  throw new Failure("usage", `cannot grow "${request.path}" to ${asked}: it has ${there}`);
}

function notTheLast(path: string, number: number, followedBy: number): Failure {
  return new Failure("refused", `cannot grow partition ${number} of "${path}": partition ${followedBy} is behind it`, {
    hint: "new room is at the end of the disk; without --size the partition takes what is free up to the next",
  });
}

/** What an MBR cannot count would be of no use. */
function refuseUnreachable(path: string, table: PartitionTable, sizeBytes: number): void {
  const limitBytes = 2 ** 32 * table.sectorSizeBytes;
  if (table.kind === "gpt" || sizeBytes <= limitBytes) return;
  throw new Failure("unsupported", `cannot grow "${path}" to ${formatSize(sizeBytes)}: its MBR reaches 2 TiB`, {
    hint: "a larger disk needs a GPT",
  });
}

async function planFileSystem(
  reader: BlockReader,
  sizeBytes: number,
  where: string,
): Promise<ResizedDisk["fileSystem"]> {
  if ((await probe(reader)) === undefined) {
    throw new Failure("unsupported", `cannot grow ${where}: ${await whyNotRead(reader)}`, {
      hint: "disk show tells what is there; --partition names another one",
    });
  }
  const change = await planGrowth(reader, sizeBytes);
  await using fileSystem = await openFileSystem(reader);
  return { kind: fileSystem.info.kind, ...change };
}
