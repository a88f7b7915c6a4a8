import { lazily } from "../../base/index.ts";

export const hasRockRidge = lazily(async () => (await import("./open.ts")).hasRockRidge);
export const bootPlaces = lazily(async () => (await import("./boot-images.ts")).bootPlaces);
export const readBootImages = lazily(async () => (await import("./boot-images.ts")).readBootImages);
export const openIso = lazily(async () => (await import("./open.ts")).openIso);

export { probeIso } from "./probe.ts";
export type { BootImage } from "./el-torito.ts";
