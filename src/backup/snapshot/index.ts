export { Snapshot } from "./snapshot.ts";
