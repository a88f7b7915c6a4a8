export { installGrub, type Firmware, type GrubRequest } from "./install-grub.ts";
