import { lazily } from "../../base/index.ts";

export const editFat = lazily(async () => (await import("./edit/open-editor.ts")).editFat);
export const makeFat = lazily(async () => (await import("./make.ts")).makeFat);
export const measureFat = lazily(async () => (await import("./measure.ts")).measureFat);
export const openFat = lazily(async () => (await import("./open.ts")).openFat);
export const refitFat = lazily(async () => (await import("./refit.ts")).refitFat);
export const renewFatNumber = lazily(async () => (await import("./renew-number.ts")).renewFatNumber);
export const roomInFat = lazily(async () => (await import("./measure.ts")).roomInFat);
export const widenFat = lazily(async () => (await import("./widen.ts")).widenFat);

export type { FatOptions, PlaceOnDisk } from "./make.ts";
export { probeFat } from "./probe.ts";
