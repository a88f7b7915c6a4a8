export { editExt } from "./edit/open-editor.ts";
export { makeExt, measureExt, type MadeExt, type MeasuredExt } from "./make.ts";
export { openExt, probeExt } from "./open.ts";
export type { ExtKind, ExtOptions } from "./profile.ts";
export { growExt, planExtGrowth } from "./resize/grow.ts";
export { planExtShrink, shrinkExt } from "./resize/shrink.ts";
