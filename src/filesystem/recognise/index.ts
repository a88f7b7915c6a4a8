export { isTakenByOthers } from "./others.ts";
export { recognise } from "./recognise.ts";
export type { Recognised } from "./recognised.ts";
