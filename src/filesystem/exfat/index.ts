import { lazily } from "../../base/index.ts";

export const editExfat = lazily(async () => (await import("./edit/open-editor.ts")).editExfat);
export const makeExfat = lazily(async () => (await import("./make.ts")).makeExfat);
export const measureExfat = lazily(async () => (await import("./measure.ts")).measureExfat);
export const openExfat = lazily(async () => (await import("./open.ts")).openExfat);
export const roomInExfat = lazily(async () => (await import("./measure.ts")).roomInExfat);
export const renewExfatSerial = lazily(async () => (await import("./renew-serial.ts")).renewExfatSerial);
export const widenExfat = lazily(async () => (await import("./widen.ts")).widenExfat);

export type { ExfatOptions } from "./make.ts";
export { probeExfat, probeSecondRegion } from "./probe.ts";
