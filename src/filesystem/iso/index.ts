export { openIso, probeIso } from "./open.ts";
