import { lazily } from "../../base/index.ts";

export const openNtfs = lazily(async () => (await import("./open.ts")).openNtfs);

export { leftOutOfNtfs } from "./left-out.ts";
export { probeNtfs, probeSecondBoot } from "./probe.ts";
