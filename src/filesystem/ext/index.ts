export { makeExt, measureExt, type MadeExt, type MeasuredExt } from "./make.ts";
export type { ExtKind, ExtOptions } from "./profile.ts";
