import { Failure } from "../base/index.ts";
import { SliceDevice, SliceReader, type BlockDevice, type BlockReader } from "../device/index.ts";
import type { Partition } from "./table.ts";

/** A partition's bytes, to be read. Borrows the reader. A `damaged` failure where the partition passes its end. */
export function openPartitionReader(reader: BlockReader, partition: Partition): SliceReader {
  refusePastEnd(reader, partition);
  return new SliceReader(reader, partition.startBytes, partition.sizeBytes);
}

/** A partition's bytes, to be read and written. Borrows the device. A `damaged` failure as above. */
export function openPartitionDevice(device: BlockDevice, partition: Partition): SliceDevice {
  refusePastEnd(device, partition);
  return new SliceDevice(device, partition.startBytes, partition.sizeBytes);
}

function refusePastEnd(reader: BlockReader, { number, startBytes, sizeBytes }: Partition): void {
  if (startBytes + sizeBytes <= reader.sizeBytes) return;
  throw new Failure(
    "damaged",
    `cannot open partition ${number}: it ends at byte ${startBytes + sizeBytes}, the device at ${reader.sizeBytes}`,
    { hint: "the file may have been cut short" },
  );
}
