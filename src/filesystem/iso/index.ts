export { hasRockRidge, openIso, probeIso } from "./open.ts";
