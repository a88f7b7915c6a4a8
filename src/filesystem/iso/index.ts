export { readBootImages } from "./boot-images.ts";
export type { BootImage } from "./el-torito.ts";
export { hasRockRidge, openIso, probeIso } from "./open.ts";
