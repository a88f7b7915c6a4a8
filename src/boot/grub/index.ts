export type { BootFileSources } from "./boot-files.ts";
export { installGrub, type Firmware, type GrubRequest } from "./install-grub.ts";
