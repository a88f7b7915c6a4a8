import type { BlockDevice } from "../device/index.ts";

/** Bytes that go to a place on the device. */
export interface PlannedWrite {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** The sectors in which two states of the same bytes differ, neighbours joined; places are within the bytes. */
export function differences(before: Uint8Array, after: Uint8Array, sectorBytes: number): PlannedWrite[] {
  const writes: { at: number; end: number }[] = [];
  for (let at = 0; at < after.length; at += sectorBytes) {
    const end = Math.min(at + sectorBytes, after.length);
    if (Buffer.compare(before.subarray(at, end), after.subarray(at, end)) === 0) continue;
    const last = writes.at(-1);
    if (last?.end === at) last.end = end;
    else writes.push({ at, end });
  }
  return writes.map(({ at, end }) => ({ at, bytes: after.subarray(at, end) }));
}

export async function writeAll(device: BlockDevice, writes: Iterable<PlannedWrite>): Promise<void> {
  for (const { at, bytes } of writes) await device.write(at, bytes);
}
