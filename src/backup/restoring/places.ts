import { Failure } from "../../base/index.ts";
import { SliceDevice, type BlockDevice, type BlockReader, type DevicePart } from "../../device/index.ts";
import { probe, recognise } from "../../filesystem/index.ts";
import { openPartitionDevice, openPartitionReader, readTable, type Partition } from "../../partition/index.ts";

/** A partition of a disk that is there, to be restored into. */
export interface Place {
  readonly name: string;
  readonly number: number;
  readonly startBytes: number;
  readonly sizeBytes: number;
  readonly on: (device: BlockDevice) => { readonly device: BlockDevice; readonly startLba: number };
}

export type Places = readonly Place[];

type DevicePartition = NonNullable<DevicePart["partition"]>;

export interface PlacesWish {
  readonly target: string;
  readonly numbers: readonly number[];
  /** What a partition holds may be written over. */
  readonly isConfirmed: boolean;
}

/** Finds the partitions of a disk. Throws `not-found`, and `exists` where one holds something that is not to be lost. */
export async function findPlaces(reader: BlockReader, wish: PlacesWish): Promise<Places> {
  const { target, numbers } = wish;
  const table = await readTable(reader);
  const found = table?.partitions.filter(({ extended }) => !extended) ?? [];
  const places: Place[] = [];
  for (const number of numbers) {
    const there = found.find((one) => one.number === number);
    if (there !== undefined) {
      if (!wish.isConfirmed) await refuseFull(reader, there, target);
      places.push(placeOf(target, there));
      continue;
    }
    const names = found.map((one) => one.number).join(", ");
    throw new Failure("not-found", `cannot find partition ${number} in "${target}"`, {
      hint: names === "" ? "it has none" : `it has ${names}; --to names another one`,
    });
  }
  return places;
}

async function refuseFull(reader: BlockReader, partition: Partition, target: string): Promise<void> {
  const slice = openPartitionReader(reader, partition);
  const kind = (await probe(slice)) ?? (await recognise(slice))?.kind;
  if (kind === undefined) return;
  throw new Failure("exists", `cannot restore into partition ${partition.number} of "${target}": it holds ${kind}`, {
    hint: "--force writes over it",
  });
}

function placeOf(target: string, partition: Partition): Place {
  const { number, startBytes, sizeBytes } = partition;
  return {
    name: `${target}:${number}`,
    number,
    startBytes,
    sizeBytes,
    on: (device) => ({ device: openPartitionDevice(device, partition), startLba: startBytes / 512 }),
  };
}

/** All of a device, of a partition or of a disk without a table. */
export function wholePlace({ path, number, startBytes, sizeBytes }: Omit<DevicePartition, "uses">): Place {
  return {
    name: path,
    number,
    startBytes,
    sizeBytes,
    on: (device) => ({ device: new SliceDevice(device, 0, sizeBytes), startLba: startBytes / 512 }),
  };
}
