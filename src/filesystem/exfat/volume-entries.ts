import { Bitmap } from "../../bytes/index.ts";
import { clustersIn, type ClusterRun } from "../cluster-run.ts";
import { damaged } from "../damaged.ts";
import { checksum32 } from "./checksums.ts";
import { entrySets } from "./directory-sets.ts";
import { readRuns, type DirectorySource } from "./exfat-source.ts";
import { bitmapEntry, entryTypes, labelEntry, slotBytes, upcaseEntry, volumeFlags } from "./records.ts";
import { UpcaseTable } from "./upcase.ts";

/** A file of the volume itself, which has no name. */
interface SystemFile {
  readonly runs: readonly ClusterRun[];
  readonly dataBytes: number;
}

/** What stands of the volume itself in its root directory. */
export interface VolumeEntries {
  readonly label: string;
  /** Of the table in use. Bit 0 is cluster 2. */
  readonly bitmap: SystemFile & { readonly used: Bitmap; readonly slot: number };
  readonly upcase: UpcaseTable;
  /** The clusters of the up-case table; none where it could not be read. */
  readonly upcaseRuns: readonly ClusterRun[];
  /** Of TexFAT: the clusters of the bitmap that is not in use. */
  readonly otherBitmapRuns: readonly ClusterRun[];
  /** What is wrong, but not so that nothing could be read. */
  readonly problems: readonly string[];
  /** Why the volume is not to be changed: there is something in it that one must know. */
  readonly whyReadOnly: string | undefined;
}

/** The longest up-case table is one unit for each, 128 KiB (§7.2.5). */
const upcaseLimitBytes = 0x10000 * 2;
export const labelLimit = 11;

/** Reads what the root directory, whose bytes these are, says of the volume. Throws `damaged` without a bitmap. */
export async function readVolumeEntries(source: DirectorySource, root: Uint8Array): Promise<VolumeEntries> {
  const wanted = (source.layout.flags & volumeFlags.secondFatIsActive) === 0 ? 0 : 1;
  let label = "";
  let whyReadOnly: string | undefined;
  const bitmaps = new Map<number, number>();
  let upcaseSlot: number | undefined;
  for (const { kind, slot, ...set } of entrySets(root)) {
    const at = slot * slotBytes;
    if (kind === "unknown") whyReadOnly = `an entry in its root directory is not known: ${"why" in set ? set.why : ""}`;
    if (kind !== "volume") continue;
    if (root[at] === entryTypes.bitmap) bitmaps.set(bitmapEntry.get(root, "flags", at) & 1, slot);
    else if (root[at] === entryTypes.upcase) upcaseSlot ??= slot;
    else label = labelAt(root, at);
  }
  const slot = bitmaps.get(wanted);
  if (slot === undefined) throw damaged("the exFAT root directory", "it does not say where the bitmap is");
  const other = bitmaps.get(1 - wanted);
  const bitmap = await readBitmap(source, root, slot);
  const upcase = await readUpcase(source, root, upcaseSlot);
  return {
    label,
    bitmap: { ...bitmap, slot },
    upcase: upcase.table ?? UpcaseTable.recommended(),
    upcaseRuns: upcase.runs,
    otherBitmapRuns: other === undefined ? [] : (await systemFileAt(source, root, other)).runs,
    problems: upcase.problem === undefined ? [] : [upcase.problem],
    whyReadOnly,
  };
}

function labelAt(root: Uint8Array, at: number): string {
  const { label, unitCount } = labelEntry.decode(root, at);
  const units = Buffer.from(label.subarray(0, Math.min(unitCount, labelLimit) * 2));
  return units.toString("utf16le").toWellFormed();
}

async function systemFileAt({ table, layout }: DirectorySource, root: Uint8Array, slot: number): Promise<SystemFile> {
  const { firstCluster, dataBytes } = bitmapEntry.decode(root, slot * slotBytes);
  const what = "the bitmap of clusters";
  const needed = Math.ceil(layout.clusterCount / 8);
  if (dataBytes < needed) throw damaged(what, `it has ${dataBytes} bytes, ${needed} are needed`);
  const count = Math.ceil(needed / layout.clusterBytes);
  const runs = await table.runs(firstCluster, count, what);
  const found = clustersIn(runs) * layout.clusterBytes;
  if (found < needed) throw damaged(what, `it has ${found} bytes, ${needed} are needed`);
  return { runs, dataBytes: needed };
}

async function readBitmap(
  source: DirectorySource,
  root: Uint8Array,
  slot: number,
): Promise<SystemFile & { readonly used: Bitmap }> {
  const { reader, layout } = source;
  const { runs, dataBytes } = await systemFileAt(source, root, slot);
  if (dataBytes > reader.sizeBytes) throw damaged("the bitmap of clusters", "it would be larger than the device");
  return { runs, dataBytes, used: new Bitmap(layout.clusterCount, await readRuns(source, runs, dataBytes)) };
}

interface FoundUpcase {
  readonly table: UpcaseTable | undefined;
  readonly runs: readonly ClusterRun[];
  readonly problem?: string;
}

async function readUpcase(source: DirectorySource, root: Uint8Array, slot: number | undefined): Promise<FoundUpcase> {
  const without = (problem: string): FoundUpcase => ({ table: undefined, runs: [], problem });
  if (slot === undefined) return without("there is no up-case table: the recommended one is used");
  const { firstCluster, dataBytes, checksum } = upcaseEntry.decode(root, slot * slotBytes);
  if (dataBytes > upcaseLimitBytes || dataBytes === 0) {
    return without(`the up-case table has ${dataBytes} bytes: the recommended one is used`);
  }
  const { layout, table } = source;
  const runs = await table.runs(firstCluster, Math.ceil(dataBytes / layout.clusterBytes), "the up-case table");
  if (clustersIn(runs) * layout.clusterBytes < dataBytes) {
    return without("the clusters of the up-case table end before its length: the recommended one is used");
  }
  const bytes = await readRuns(source, runs, dataBytes);
  if (checksum32(bytes) === checksum) return { table: UpcaseTable.decode(bytes), runs };
  const problem = "the checksum of the up-case table does not match: the recommended one is used";
  return { table: undefined, runs, problem };
}
