import { Failure } from "../base/index.ts";
import { formatSize } from "../bytes/index.ts";

/** The room of one partition: `leadSectors` that it is kept from (a boot record), then its own sectors. */
export interface Slot {
  readonly leadSectors: number;
  readonly sectorCount: number | "rest";
}

/** Where slots go: in whole grains from `startLba`, a multiple of the grain, to `endLba`, exclusive. */
export interface Room {
  readonly grainSectors: number;
  readonly startLba: number;
  readonly endLba: number;
  /** Let the last slot use, or stop at, an end of the room that is no multiple of the grain. */
  readonly fillsToEnd: boolean;
  /** Sectors of the disk behind the room that are needed for something else. */
  readonly tailSectors: number;
  readonly diskBytes: number;
}

export interface Placement {
  readonly startLba: number;
  readonly sectorCount: number;
}

/**
 * Places slots one behind the other, each rounded up to whole grains; one of them may take the rest.
 * A `no-space` failure says what is needed and what there is.
 */
export function placeSlots(slots: readonly Slot[], room: Room): Placement[] {
  const { grainSectors, startLba, endLba, fillsToEnd } = room;
  const last = slots.length - 1;
  const wholeGrains = (sectors: number): number => Math.ceil(sectors / grainSectors) * grainSectors;
  const bare = slots.map(({ leadSectors, sectorCount }) => leadSectors + (sectorCount === "rest" ? 1 : sectorCount));
  const sizes = bare.map(wholeGrains);
  const beforeLast = startLba + sizes.slice(0, -1).reduce((total, size) => total + size, 0);
  // The last slot need not fill a grain that the disk has not got.
  if (fillsToEnd && slots.length > 0)
    sizes[last] = Math.max(bare[last] ?? 0, Math.min(sizes[last] ?? 0, endLba - beforeLast));
  const neededLba = beforeLast + (sizes[last] ?? 0);
  if (neededLba > endLba) throw tooBig(neededLba, room);

  const rest = slots.findIndex(({ sectorCount }) => sectorCount === "rest");
  const slack = endLba - neededLba;
  const restExtra = rest === last && fillsToEnd ? slack : Math.floor(slack / grainSectors) * grainSectors;
  let cursor = startLba;
  return slots.map(({ leadSectors }, n) => {
    const slotSectors = (sizes[n] ?? 0) + (n === rest ? restExtra : 0);
    const placement = { startLba: cursor + leadSectors, sectorCount: slotSectors - leadSectors };
    cursor += slotSectors;
    return placement;
  });
}

function tooBig(neededLba: number, room: Room): Failure {
  const neededBytes = (neededLba + room.tailSectors) * 512;
  const [needed, there] = [neededBytes, room.diskBytes].map((size) => `${formatSize(size)} (${size} bytes)`);
  return new Failure("no-space", `cannot lay out the partitions: the disk has ${there}, ${needed} are needed`, {
    hint: "make the disk larger or the partitions smaller",
  });
}
