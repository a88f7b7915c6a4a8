export { openFrames, packFrames } from "./frames-file.ts";
export { isZero, type Sealed } from "./pack-part.ts";
export type { PackedAs } from "./packing.ts";
export { contentKey, openAnywhere, openUnpacked, type PackedData } from "./unpack.ts";
export { VolumeWriter, type Volume, type WrittenFile } from "./volumes.ts";
export { writeParts, type Part } from "./write-parts.ts";
