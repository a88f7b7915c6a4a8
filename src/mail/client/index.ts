export { ByteReader, lineLimitBytes, type Sink } from "./byte-reader.ts";
export { cramMd5 } from "./cram-md5.ts";
export { openConnection, secureConnection, type ConnectOptions, type TlsSettings } from "./connect.ts";
export { Pipeline } from "./pipeline.ts";
export { Refusal } from "./refusal.ts";
