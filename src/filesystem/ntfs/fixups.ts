import { damaged } from "../damaged.ts";
import { fixupHeader } from "./records.ts";

/** The ends of so many bytes have a number instead of what belongs there, whatever the size of a sector. */
const strideBytes = 512;

/** Puts back the ends of sectors; the number there tells whether all of it was written. Throws `damaged`. */
export function putBackEnds(bytes: Uint8Array, what: string): void {
  const { fixupOffset, fixupCount } = fixupHeader.decode(bytes);
  const isWhole = fixupCount - 1 === bytes.length / strideBytes && fixupOffset + fixupCount * 2 <= strideBytes;
  if (!isWhole) throw damaged(what, `it has ${fixupCount} fixups at ${fixupOffset}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const mark = view.getUint16(fixupOffset, true);
  for (let n = 1; n < fixupCount; n++) {
    const end = n * strideBytes - 2;
    if (view.getUint16(end, true) !== mark) throw damaged(what, "only a part of it was written");
    view.setUint16(end, view.getUint16(fixupOffset + n * 2, true), true);
  }
}
