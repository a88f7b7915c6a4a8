export { Bitmap } from "./bitmap.ts";
export { blake2b256 } from "./blake2b.ts";
export { crc16, crc16Itut } from "./crc16.ts";
export { crc32 } from "./crc32.ts";
export { crc32c, crc32cCompensation } from "./crc32c.ts";
export {
  array,
  ascii,
  bits64,
  bits64be,
  bytes,
  guid,
  i32,
  u16,
  u16be,
  u32,
  u32be,
  u64,
  u64be,
  u8,
  uuid,
} from "./fields.ts";
export { decodeName, encodeName, printableName } from "./name.ts";
export { shellWord } from "../base/index.ts";
export { formatSize, parseSize } from "./size.ts";
export { Struct, type FieldType, type StructRecord } from "./struct.ts";
export { parseTimeLimit } from "./time-limit.ts";
export { Xxhash32 } from "./xxhash32.ts";
export { Xxhash3 } from "./xxhash3.ts";
export { Xxhash64, xxhash64 } from "./xxhash64.ts";
