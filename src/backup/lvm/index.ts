export { encodePhysicalHead } from "./physical-head.ts";
export { readVolumeGroup, type PhysicalVolume, type Stretch, type VolumeGroup } from "./volume-group.ts";
