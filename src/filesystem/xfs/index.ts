import { lazily } from "../../base/index.ts";

export const openXfs = lazily(async () => (await import("./open.ts")).openXfs);

export { countFreeBlocks } from "./count-free.ts";
export { featureNames, incompatibleBits, whyNotRead } from "./features.ts";
export { probeXfs } from "./probe.ts";
export { findSuperblock, hasChecksums, type XfsSuperblock } from "./superblock.ts";
