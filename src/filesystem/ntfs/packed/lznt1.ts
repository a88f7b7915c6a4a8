import { damaged } from "../../damaged.ts";

/** Each chunk of a unit is this much, uncompressed ([MS-XCA] §2.5). */
const chunkBytes = 4096;
const compressedFlag = 0x8000;
const lengthMask = 0x0fff;
const headerBytes = 2;

/** Unpacks LZNT1 into `into`, whose rest is zeros where less comes out. Throws `damaged` for what it cannot be. */
export function unpackLznt1(packed: Uint8Array, into: Uint8Array, what: string): void {
  let from = 0;
  let to = 0;
  while (from + headerBytes <= packed.length && to < into.length) {
    const header = (packed[from] ?? 0) | ((packed[from + 1] ?? 0) << 8);
    if (header === 0) break;
    const end = from + headerBytes + (header & lengthMask) + 1;
    if (end > packed.length) throw damaged(what, "a compressed chunk passes the end of its unit");
    const chunk = packed.subarray(from + headerBytes, end);
    const room = into.subarray(to, Math.min(to + chunkBytes, into.length));
    if ((header & compressedFlag) === 0) {
      if (chunk.length > room.length) throw damaged(what, "a chunk holds more than it can");
      room.set(chunk);
      room.fill(0, chunk.length);
    } else {
      room.fill(0, unpackChunk(chunk, room, what));
    }
    from = end;
    to += room.length;
  }
  into.fill(0, to);
}

/** Unpacks one chunk; gives how much came out. */
function unpackChunk(chunk: Uint8Array, room: Uint8Array, what: string): number {
  let at = 0;
  let done = 0;
  while (at < chunk.length) {
    const flags = chunk[at++] ?? 0;
    for (let bit = 0; bit < 8 && at < chunk.length; bit++) {
      if ((flags & (1 << bit)) === 0) {
        if (done >= room.length) throw damaged(what, "a chunk holds more than it can");
        room[done++] = chunk[at++] ?? 0;
        continue;
      }
      if (at + 2 > chunk.length || done === 0) throw damaged(what, "a compressed chunk makes no sense");
      const token = (chunk[at] ?? 0) | ((chunk[at + 1] ?? 0) << 8);
      at += 2;
      done = copyBack(token, room, done, what);
    }
  }
  return done;
}

/** Repeats what came before. The further a chunk has come, the more bits of a token tell how far back that is. */
function copyBack(token: number, room: Uint8Array, done: number, what: string): number {
  let lengthBits = 12;
  for (let reach = done - 1; reach >= 0x10; reach >>>= 1) lengthBits--;
  const distance = (token >>> lengthBits) + 1;
  const length = (token & ((1 << lengthBits) - 1)) + 3;
  if (distance > done || done + length > room.length) throw damaged(what, "a compressed chunk makes no sense");
  // Byte by byte: what is repeated may reach into what comes of it.
  for (let n = 0; n < length; n++) room[done + n] = room[done + n - distance] ?? 0;
  return done + length;
}
