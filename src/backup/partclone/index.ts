export { PartcloneReader } from "./block-reader.ts";
export { ntfsImage, type ImageDescription } from "./header.ts";
export { fillPart, partLimitBytes, partsOf, planImage, type ImagePart, type ImagePlan } from "./plan-image.ts";
export { readBlocks, readImageHead, type ImageHead, type Piece } from "./read-stream.ts";
