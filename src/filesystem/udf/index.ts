export { openUdf, probeUdf } from "./open.ts";
