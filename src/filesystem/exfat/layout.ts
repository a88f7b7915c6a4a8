import { readBytes, type BlockReader } from "../../device/index.ts";
import { firstCluster } from "../cluster-run.ts";
import { damaged } from "../damaged.ts";
import { findSecondSector, isRegionSound, isSigned, regionSectors, sectorSizeLog2s } from "./boot-region.ts";
import { bootSector, volumeFlags, type BootSector } from "./records.ts";

/** Where everything in an exFAT file system is, in bytes from its start. */
export interface ExfatLayout {
  readonly sectorBytes: number;
  readonly clusterBytes: number;
  readonly sizeBytes: number;
  /** The table that is in use. */
  readonly fatAt: number;
  readonly fatBytes: number;
  readonly fatCount: number;
  readonly heapAt: number;
  /** How many clusters there are, the first of which has the number 2. */
  readonly clusterCount: number;
  readonly rootCluster: number;
  readonly serial: number;
  readonly flags: number;
  readonly percentInUse: number;
  /** What is wrong with the boot regions: with the first one, the second was used. */
  readonly problem: BootProblem | undefined;
}

interface BootProblem {
  readonly severity: "error" | "warning";
  readonly message: string;
}

/** §3.1.6: less is in front of the table than this. */
const leastFatSector = 2 * regionSectors;
const largestClusterLog2 = 25;
export const entryBytes = 4;

/** Where everything is, by the first boot region that is sound. Throws `damaged` where neither is. */
export async function readLayout(reader: BlockReader): Promise<ExfatLayout> {
  const sector = await readBytes(reader, 0, bootSector.sizeBytes);
  const log2 = bootSector.get(sector, "sectorBytesLog2");
  const hasFirst = isSigned(sector);
  const sectorBytes = hasFirst && sectorSizeLog2s.includes(log2) ? 2 ** log2 : undefined;
  const isFirstSound = sectorBytes !== undefined && (await isRegionSound(reader, 0, sectorBytes));
  const second = await findSecondSector(reader, isFirstSound ? sectorBytes : undefined);
  if (isFirstSound) {
    const warning = { severity: "warning", message: "the second boot region of exFAT is damaged" } as const;
    return layoutOf(sector, second === undefined ? warning : undefined);
  }
  if (second === undefined) {
    throw damaged("the exFAT boot region", "its checksum does not match, nor does that of the second one");
  }
  const message = hasFirst
    ? "the checksum of the exFAT boot region does not match: the second one is used"
    : "the exFAT boot region is gone: the second one is used";
  return layoutOf(second, { severity: "error", message });
}

/** The layout in a boot sector. Throws `damaged` where it contradicts itself. */
function layoutOf(sector: Uint8Array, problem: BootProblem | undefined): ExfatLayout {
  const boot = bootSector.decode(sector);
  const why = whyNotLayout(boot);
  if (why !== undefined) throw damaged("the exFAT boot region", why);
  const sectorBytes = 2 ** boot.sectorBytesLog2;
  const isSecondFat = boot.fatCount === 2 && (boot.flags & volumeFlags.secondFatIsActive) !== 0;
  return {
    sectorBytes,
    clusterBytes: sectorBytes * 2 ** boot.clusterSectorsLog2,
    sizeBytes: boot.sectorCount * sectorBytes,
    fatAt: (boot.fatSector + (isSecondFat ? boot.fatSectors : 0)) * sectorBytes,
    fatBytes: boot.fatSectors * sectorBytes,
    fatCount: boot.fatCount,
    heapAt: boot.heapSector * sectorBytes,
    clusterCount: boot.clusterCount,
    rootCluster: boot.rootCluster,
    serial: boot.serial,
    flags: boot.flags,
    percentInUse: boot.percentInUse,
    problem,
  };
}

function whyNotLayout(boot: BootSector): string | undefined {
  const { sectorBytesLog2, clusterSectorsLog2, sectorCount, fatSector, fatSectors, fatCount } = boot;
  const { heapSector, clusterCount, rootCluster, revision } = boot;
  if (!sectorSizeLog2s.includes(sectorBytesLog2)) return `its sectors have 2^${sectorBytesLog2} bytes`;
  const clusterLog2 = sectorBytesLog2 + clusterSectorsLog2;
  if (clusterLog2 > largestClusterLog2) return `its clusters have 2^${clusterLog2} bytes`;
  if (revision >> 8 !== 1) return `it is of revision ${revision >> 8}, 1 is known`;
  if (fatCount !== 1 && fatCount !== 2) return `it has ${fatCount} tables`;
  if (clusterCount === 0) return "it has no clusters";
  if (fatSector < leastFatSector) return `its table begins at sector ${fatSector}`;
  if (fatSectors * 2 ** sectorBytesLog2 < (clusterCount + firstCluster) * entryBytes) {
    return `its table of ${fatSectors} sectors is too short for ${clusterCount} clusters`;
  }
  if (fatSector + fatCount * fatSectors > heapSector) return `its clusters begin at sector ${heapSector}, in the table`;
  const endSector = heapSector + clusterCount * 2 ** clusterSectorsLog2;
  if (endSector > sectorCount || !Number.isSafeInteger(sectorCount * 2 ** sectorBytesLog2)) {
    return `its clusters end at sector ${endSector} of ${sectorCount}`;
  }
  if (rootCluster < firstCluster || rootCluster >= firstCluster + clusterCount) {
    return `its root directory is at cluster ${rootCluster} of ${clusterCount}`;
  }
  return undefined;
}

/** Where a cluster is on the device. */
export function clusterAt({ heapAt, clusterBytes }: ExfatLayout, cluster: number): number {
  return heapAt + (cluster - firstCluster) * clusterBytes;
}

/** Whether a number stands for a cluster that there is. */
export function isCluster({ clusterCount }: ExfatLayout, number: number): boolean {
  return number >= firstCluster && number < firstCluster + clusterCount;
}
