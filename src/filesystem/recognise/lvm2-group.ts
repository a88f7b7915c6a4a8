import type { LvmSection } from "./lvm2-text.ts";

/** What the metadata of a volume group says of one of its physical volumes. */
export interface LvmUse {
  readonly groupName: string;
  readonly sequence: number;
  readonly extentBytes: number;
  /** Of the physical volume. */
  readonly extentCount: number;
  readonly allocatedExtents: number;
  readonly volumeCount: number;
}

const sectorBytes = 512;
/** Which lists of a segment name the places of its parts, one after the other: a name and the extent it begins at. */
const areaLists = ["stripes", "mirrors"];
/** Above this a stretch is not what an extent count can be (it has 32 bits). */
const extentLimit = 2 ** 32;

/** How a volume group uses the physical volume of an id; undefined where it does not know it. */
export function useOfVolume(root: LvmSection, volumeId: string): LvmUse | undefined {
  for (const [groupName, group] of root.sections) {
    const volumes = group.sections.get("physical_volumes")?.sections ?? new Map<string, LvmSection>();
    for (const [name, volume] of volumes) {
      if (volume.values.get("id") !== volumeId) continue;
      const logical = group.sections.get("logical_volumes")?.sections ?? new Map<string, LvmSection>();
      const extentCount = numberIn(volume, "pe_count");
      return {
        groupName,
        sequence: numberIn(group, "seqno"),
        extentBytes: numberIn(group, "extent_size") * sectorBytes,
        extentCount,
        allocatedExtents: Math.min(extentCount, allocatedOn(name, logical)),
        volumeCount: [...logical.values()].filter(isVisible).length,
      };
    }
  }
  return undefined;
}

function numberIn(section: LvmSection, key: string): number {
  const value = section.values.get(key);
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/** Parts of mirrors, pools and the like are volumes too, which nobody sees. */
function isVisible({ values }: LvmSection): boolean {
  const status = values.get("status");
  return Array.isArray(status) && status.includes("VISIBLE");
}

interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** How many extents of one physical volume any segment of any logical volume takes. */
function allocatedOn(volumeName: string, logical: ReadonlyMap<string, LvmSection>): number {
  const stretches: Stretch[] = [];
  for (const { sections } of logical.values()) {
    for (const [name, segment] of sections) {
      if (name.startsWith("segment")) stretches.push(...stretchesOn(volumeName, segment));
    }
  }
  let count = 0;
  let end = 0;
  for (const stretch of stretches.toSorted((a, b) => a.start - b.start)) {
    count += Math.max(0, stretch.end - Math.max(end, stretch.start));
    end = Math.max(end, stretch.end);
  }
  return count;
}

function stretchesOn(volumeName: string, segment: LvmSection): Stretch[] {
  const stretches: Stretch[] = [];
  for (const list of areaLists) {
    const areas = segment.values.get(list);
    if (!Array.isArray(areas)) continue;
    // What is striped is divided among its areas; each mirror has all of it.
    const share = list === "stripes" ? Math.max(1, areas.length / 2) : 1;
    const lengthExtents = Math.ceil(numberIn(segment, "extent_count") / share);
    for (let n = 0; n + 1 < areas.length; n += 2) {
      const [name, start]: readonly unknown[] = areas.slice(n, n + 2);
      if (name !== volumeName || typeof start !== "number" || start < 0 || start > extentLimit) continue;
      stretches.push({ start, end: start + lengthExtents });
    }
  }
  return stretches;
}
