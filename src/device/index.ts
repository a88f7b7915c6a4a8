export { readBytes, type BlockDevice, type BlockReader } from "./block-device.ts";
export { alignedBuffer } from "./direct-file.ts";
export { FileDevice, FileReader } from "./file-device.ts";
export { MemoryDevice } from "./memory-device.ts";
export { OverlayDevice } from "./overlay.ts";
export { SliceDevice, SliceReader } from "./slice.ts";
