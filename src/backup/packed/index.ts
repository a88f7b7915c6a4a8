export { packingOf, type PackedAs, type Packing } from "./packing.ts";
export { openAnywhere, openUnpacked, type PackedData } from "./unpack.ts";
export {
  VolumeReader,
  volumeSuffix,
  VolumeWriter,
  type Volume,
  type VolumeWriterOptions,
  type WrittenFile,
} from "./volumes.ts";
export { isZero, writeParts, type Part } from "./write-parts.ts";
export type { Frame } from "./seek-table.ts";
