import { lazily } from "../../base/index.ts";

export const hasRockRidge = lazily(async () => (await import("./open.ts")).hasRockRidge);
export const openIso = lazily(async () => (await import("./open.ts")).openIso);

export { probeIso } from "./probe.ts";
