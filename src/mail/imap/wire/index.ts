export { ByteSource } from "./byte-source.ts";
export { CommandReader, type ReceivedCommand, type RefusedCommand } from "./command-reader.ts";
export { compressBoth } from "./compression.ts";
export { Output, PeerGone } from "./output.ts";
