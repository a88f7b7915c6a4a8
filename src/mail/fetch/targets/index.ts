export { openTarget } from "./open-target.ts";
export { recover } from "./recover.ts";
export type { FetchTarget, Undelivered } from "./target.ts";
