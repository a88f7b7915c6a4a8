export { openFrames, packFrames } from "./frames-file.ts";
export { isZero, PartPacker, sealAndSum, type Sealed } from "./pack-part.ts";
export { packingOf, type PackedAs, type Packing } from "./packing.ts";
export type { Frame } from "./seek-table.ts";
export { contentKey, openAnywhere, openUnpacked, type PackedData } from "./unpack.ts";
export {
  VolumeReader,
  volumeSuffix,
  VolumeWriter,
  type Volume,
  type VolumeWriterOptions,
  type WrittenFile,
} from "./volumes.ts";
export { writeParts, type Part } from "./write-parts.ts";
