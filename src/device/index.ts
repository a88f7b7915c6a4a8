import { lazily } from "../base/index.ts";

// Few commands serve anything.
export const serveNbd = lazily(async () => (await import("./nbd/index.ts")).serveNbd);

export { readBytes, type BlockDevice, type BlockReader } from "./block-device.ts";
export { refuseOutside } from "./bounds.ts";
export { identifyDevice, identifyPart, identityOf, type BlockIdentity, type DevicePart } from "./block-identity.ts";
export { partitionOf, partitionsOf, type BlockPartition } from "./block-partition.ts";
export type { DeviceUse } from "./block-uses.ts";
export { confirmationOf, refuseChanged, refuseUnconfirmed, type Confirmation } from "./confirm-device.ts";
export { alignedBuffer } from "./direct-file.ts";
export { ExclusiveDisk } from "./exclusive-disk.ts";
export { FileDevice, FileReader } from "./file-device.ts";
export { logicalVolumeOf, mappedName, type LogicalVolume } from "./logical-volume.ts";
export { MemoryDevice } from "./memory-device.ts";
export { OverlayDevice } from "./overlay.ts";
export type { NbdServer } from "./nbd/index.ts";
export { MappedReader, type MappedStretch } from "./mapped-reader.ts";
export { inUseNote, refuseInUse, refuseUnwritable } from "./refuse-in-use.ts";
export { RescuingReader, unreadableLimitBytes, type RescueOptions } from "./rescuing-reader.ts";
export { SliceDevice, SliceReader } from "./slice.ts";
export { Unreadable, type UnreadableStretch } from "./unreadable.ts";
export { UnflushedDevice } from "./unflushed-device.ts";
