export { DerCursor } from "./cursor.ts";
export { derTags, derValues, readDer, type DerValue } from "./read.ts";
export {
  derBitString,
  derBmpString,
  derBoolean,
  derContext,
  derInteger,
  derNull,
  derObjectId,
  derOctetString,
  derSequence,
  derSet,
  derTime,
  derUtf8String,
  objectIdText,
} from "./write.ts";
