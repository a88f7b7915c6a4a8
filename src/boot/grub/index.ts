export type { BootFileSources } from "./boot-files.ts";
export { installGrub, type Firmware, type GrubRequest } from "./install-grub.ts";
export { generatedTree } from "./generated-tree.ts";
export type { GrubPlatform } from "./platform-files.ts";
export { findWholeGrub, installWholeGrub, wholeGrubPrograms, type MenuPlace, type WholeGrub } from "./whole-grub.ts";
export { moveInstalledCore, type MovedSectors } from "./move-core.ts";
