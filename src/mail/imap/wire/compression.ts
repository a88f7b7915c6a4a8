import { constants, createDeflateRaw, createInflateRaw } from "node:zlib";
import type { ByteSource } from "./byte-source.ts";
import type { Output } from "./output.ts";

// Every chunk is complete by itself, so that nobody waits for bytes that are in the compressor (RFC 4978 §3).
const flush = constants.Z_SYNC_FLUSH;

/** Both directions through DEFLATE without a header, from the next byte on. */
export function compressBoth(source: ByteSource, output: Output): void {
  const [inflate, deflate] = [createInflateRaw({ flush }), createDeflateRaw({ flush, level: 6 })];
  for (const stream of [inflate, deflate]) stream.on("error", () => stream.destroy());
  source.continueThrough(inflate);
  output.continueThrough(deflate);
}
