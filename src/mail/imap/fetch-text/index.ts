export { bodyStructureText, type BodyStructureOptions } from "./body-structure-text.ts";
export { envelopeText } from "./envelope-text.ts";
export { stringText, type TextOptions } from "./string-text.ts";
