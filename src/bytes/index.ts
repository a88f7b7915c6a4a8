export { Bitmap } from "./bitmap.ts";
export { blake2b256 } from "./blake2b.ts";
export { crc16, crc16Itut } from "./crc16.ts";
export { crc32c, crc32cCompensation } from "./crc32c.ts";
export { array, ascii, bits64, bytes, guid, i32, u16, u16be, u32, u32be, u64, u64be, u8, uuid } from "./fields.ts";
export { decodeName, encodeName, printableName } from "./name.ts";
export { formatSize, parseSize } from "./size.ts";
export { Struct, type FieldType, type StructRecord } from "./struct.ts";
export { xxhash64 } from "./xxhash64.ts";
