import { lazily } from "../../base/index.ts";

export const openUdf = lazily(async () => (await import("./open.ts")).openUdf);

export { probeUdf } from "./probe.ts";
