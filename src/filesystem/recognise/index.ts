export { isTakenByOthers } from "./others.ts";
export { recognise } from "./recognise.ts";
export type { Recognised } from "./recognised.ts";
export { swapHeader, swapHeaderAt, swapSignature } from "./swap.ts";
