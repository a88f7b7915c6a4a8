import { lazily } from "../../base/index.ts";

export const editExt = lazily(async () => (await import("./edit/open-editor.ts")).editExt);
export const growExt = lazily(async () => (await import("./resize/grow.ts")).growExt);
export const makeExt = lazily(async () => (await import("./make.ts")).makeExt);
export const measureExt = lazily(async () => (await import("./make.ts")).measureExt);
export const openExt = lazily(async () => (await import("./open.ts")).openExt);
export const planExtGrowth = lazily(async () => (await import("./resize/grow.ts")).planExtGrowth);
export const planExtShrink = lazily(async () => (await import("./resize/shrink.ts")).planExtShrink);
export const renewExtUuid = lazily(async () => (await import("./renew-uuid.ts")).renewExtUuid);
export const roomInExt = lazily(async () => (await import("./make.ts")).roomInExt);
export const shrinkExt = lazily(async () => (await import("./resize/shrink.ts")).shrinkExt);

export type { MadeExt, MeasuredExt } from "./make.ts";
export type { ExtKind, ExtOptions } from "./profile.ts";
export { probeExt } from "./probe.ts";
