import { lazily } from "../../base/index.ts";

export const openNtfs = lazily(async () => (await import("./open.ts")).openNtfs);
export const renewNtfsSerial = lazily(async () => (await import("./renew-serial.ts")).renewNtfsSerial);

export { leftOutOfNtfs } from "./left-out.ts";
export { probeNtfs, probeSecondBoot } from "./probe.ts";
