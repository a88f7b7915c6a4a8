import { Failure } from "../../base/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";
import { gptTypeGuid, type PartitionTable } from "../../partition/index.ts";
import { coreSectorBytes } from "./core-image.ts";
import { coreAt } from "./embed.ts";
import { ownerOfGapSector } from "./gap-signatures.ts";
import { readInstalledCore } from "./installed-core.ts";

/** A stretch of sectors that GRUB may have. */
interface Room {
  readonly startLba: number;
  readonly sectorCount: number;
  readonly name: string;
}

/** A gap may be the whole disk; no core image needs more of it than this. */
const gapLimitSectors = 2048;

/**
 * Where to put a core image on a disk that may start from one: where that one is if they are the same, or beside it, so
 * that it can be started until sector 0 points to the new one. Only where there is no room for both it is overwritten.
 */
export async function planReplacing(
  reader: BlockReader,
  table: PartitionTable,
  core: Uint8Array,
): Promise<readonly number[]> {
  const neededSectors = Math.ceil(core.length / coreSectorBytes);
  const old = await readInstalledCore(reader);
  if (old === undefined) return planEmbedding(reader, table, neededSectors);
  if (old.lbas.length === neededSectors && Buffer.from(coreAt(core, old.lbas)).equals(old.bytes)) return old.lbas;
  try {
    return await planEmbedding(reader, table, neededSectors, new Set(old.lbas));
  } catch (error) {
    if (error instanceof Failure && error.code === "no-space") return planEmbedding(reader, table, neededSectors);
    throw error;
  }
}

/**
 * The sectors for a core image, in order: behind the master boot record, around those that other programs marked as
 * theirs; with GPT in the BIOS boot partition. Throws `no-space` where it does not fit.
 */
export async function planEmbedding(
  reader: BlockReader,
  table: PartitionTable,
  neededSectors: number,
  taken: ReadonlySet<number> = new Set(),
): Promise<readonly number[]> {
  const room = table.kind === "gpt" ? biosBootPartition(table) : gapBeforePartitions(table);
  const lbas: number[] = [];
  const owners = new Set<string>();
  for (let lba = room.startLba; lba < room.startLba + room.sectorCount && lbas.length < neededSectors; lba++) {
    if (taken.has(lba)) continue;
    const owner = table.kind === "gpt" ? undefined : await ownerOf(reader, lba);
    if (owner === undefined) lbas.push(lba);
    else owners.add(owner);
  }
  if (lbas.length === neededSectors) return lbas;
  const others = owners.size === 0 ? "" : `, of which ${[...owners].join(", ")} has some`;
  throw new Failure(
    "no-space",
    `cannot install GRUB for BIOS: ${room.name} has ${room.sectorCount} sectors${others}; ${neededSectors} are needed`,
    { hint: "let the first partition begin later: 1 MiB is what every layout but the classic one has" },
  );
}

async function ownerOf(reader: BlockReader, lba: number): Promise<string | undefined> {
  return ownerOfGapSector(await readBytes(reader, lba * coreSectorBytes, coreSectorBytes));
}

function biosBootPartition({ partitions }: PartitionTable): Room {
  const guid = gptTypeGuid("bios-boot");
  const partition = partitions.find(({ typeCode }) => typeCode === guid);
  if (partition === undefined) {
    throw new Failure("no-space", "cannot install GRUB for BIOS: the GPT has no BIOS boot partition", {
      hint: "make one of 1 MB with the type bios-boot",
    });
  }
  return {
    startLba: partition.startBytes / coreSectorBytes,
    sectorCount: partition.sizeBytes / coreSectorBytes,
    name: `the BIOS boot partition, number ${partition.number},`,
  };
}

function gapBeforePartitions({ partitions }: PartitionTable): Room {
  const first = Math.min(gapLimitSectors, ...partitions.map(({ startBytes }) => startBytes / coreSectorBytes));
  return { startLba: 1, sectorCount: first - 1, name: "the room before the first partition" };
}
