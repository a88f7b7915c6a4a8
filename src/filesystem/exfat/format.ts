import { Bitmap } from "../../bytes/index.ts";
import type { BlockDevice } from "../../device/index.ts";
import { bootCode } from "../boot-code.ts";
import { firstCluster } from "../cluster-run.ts";
import { encodeBootRegion, regionSectors, signature } from "./boot-region.ts";
import { chainEnd, firstEntries } from "./chain.ts";
import { checksum32 } from "./checksums.ts";
import { entryBytes } from "./layout.ts";
import { bitmapClusters, sectorBytes, upcaseClusters, type PlannedLayout } from "./plan-layout.ts";
import { bitmapEntry, bootSector, entryTypes, labelEntry, upcaseEntry } from "./records.ts";
import { UpcaseTable } from "./upcase.ts";

/** What a new file system says of itself. */
export interface FormatFacts {
  /** At most 11 UTF-16 units. */
  readonly label: string;
  readonly serial: number;
  /** The sector of its disk at which it begins; 0: not known. */
  readonly partitionSector: number;
}

const revision = 0x0100;
const firstHardDisk = 0x80;
const bootSignature = 0xaa55;
/** Where the code begins to which the jump leads (§3.1.1). */
const codeAt = 0x78;

/** Writes a file system with nothing in it but its label. */
export async function writeEmpty(device: BlockDevice, layout: PlannedLayout, facts: FormatFacts): Promise<void> {
  const { clusterSectors, clusterCount, heapSector, fatSector } = layout;
  const clusterBytes = clusterSectors * sectorBytes;
  const upcase = UpcaseTable.recommended().encode();
  const bitmapCount = bitmapClusters(clusterCount, clusterBytes);
  const upcaseCount = upcaseClusters(clusterBytes);
  const used = bitmapCount + upcaseCount + 1;
  const upcaseStart = firstCluster + bitmapCount;
  const rootCluster = upcaseStart + upcaseCount;
  await device.zero(0, heapSector * sectorBytes + used * clusterBytes);

  const region = encodeBootRegion(encodeBootSector(layout, { ...facts, rootCluster, used }), sectorBytes);
  await device.write(0, region);
  await device.write(regionSectors * sectorBytes, region);
  await device.write(fatSector * sectorBytes, encodeChains([bitmapCount, upcaseCount, 1]));

  const bitmap = new Bitmap(clusterCount);
  bitmap.setRange(0, used);
  const at = (cluster: number): number => heapSector * sectorBytes + (cluster - firstCluster) * clusterBytes;
  await device.write(at(firstCluster), bitmap.bytes);
  await device.write(at(upcaseStart), upcase);
  const root = [
    ...(facts.label === "" ? [] : [encodeLabel(facts.label)]),
    bitmapEntry.encode({ type: entryTypes.bitmap, firstCluster, dataBytes: bitmap.bytes.length }),
    upcaseEntry.encode({
      type: entryTypes.upcase,
      checksum: checksum32(upcase),
      firstCluster: upcaseStart,
      dataBytes: upcase.length,
    }),
  ];
  await device.write(at(rootCluster), Buffer.concat(root));
}

function encodeBootSector(
  layout: PlannedLayout,
  { serial, partitionSector, rootCluster, used }: FormatFacts & { readonly rootCluster: number; readonly used: number },
): Uint8Array {
  const { sectorCount, clusterSectors, fatSector, fatSectors, heapSector, clusterCount } = layout;
  const sector = bootSector.encode({
    jump: Uint8Array.of(0xeb, codeAt - 2, 0x90),
    signature: Buffer.from(signature),
    partitionSector,
    sectorCount,
    fatSector,
    fatSectors,
    heapSector,
    clusterCount,
    rootCluster,
    serial,
    revision,
    sectorBytesLog2: Math.log2(sectorBytes),
    clusterSectorsLog2: Math.log2(clusterSectors),
    fatCount: 1,
    driveNumber: firstHardDisk,
    percentInUse: Math.floor((used * 100) / clusterCount),
    endMark: bootSignature,
  });
  sector.set(bootCode(codeAt), codeAt);
  return sector;
}

/** The beginning of the table, with chains of so many clusters one after the other. */
function encodeChains(counts: readonly number[]): Uint8Array {
  const entries = [...firstEntries];
  for (const count of counts) {
    for (let n = 1; n < count; n++) entries.push(entries.length + 1);
    entries.push(chainEnd);
  }
  const bytes = new Uint8Array(entries.length * entryBytes);
  const view = new DataView(bytes.buffer);
  for (const [n, entry] of entries.entries()) view.setUint32(n * entryBytes, entry, true);
  return bytes;
}

function encodeLabel(text: string): Uint8Array {
  const label = Buffer.alloc(22);
  label.write(text, "utf16le");
  return labelEntry.encode({ type: entryTypes.label, unitCount: text.length, label });
}
