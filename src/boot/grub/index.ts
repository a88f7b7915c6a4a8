export { installGrub, type GrubRequest, type InstalledGrub } from "./install-grub.ts";
