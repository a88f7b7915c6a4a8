import { lazily } from "../../base/index.ts";

export const openBtrfs = lazily(async () => (await import("./open.ts")).openBtrfs);

export { incompatibleNames, whyUnread } from "./features.ts";
export { probeBtrfs, probeBtrfsMirror } from "./probe.ts";
export { soundMirror, superblockAt, superblockFlags, superblockPlaces, type Superblock } from "./superblock.ts";
