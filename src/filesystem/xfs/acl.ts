import { damaged } from "../damaged.ts";

const headBytes = 4;
const entryBytes = 12;
/** Entries for one named user or group; others name nobody. */
const tagsWithId = new Set([0x02, 0x08]);
const nobody = 0xffffffff;
const kernelVersion = 2;

/** An ACL in the form of the kernel's interface, out of that of the disk ("Access Control Lists"). */
export function aclOf(value: Uint8Array, what: string): Uint8Array {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const count = value.length < headBytes ? 0 : view.getUint32(0);
  if (count > (value.length - headBytes) / entryBytes) throw damaged(what, `an ACL cannot have ${count} entries`);
  const out = new DataView(new ArrayBuffer(4 + count * 8));
  out.setUint32(0, kernelVersion, true);
  for (let n = 0; n < count; n++) {
    const from = headBytes + n * entryBytes;
    const tag = view.getUint32(from);
    out.setUint16(4 + n * 8, tag, true);
    out.setUint16(6 + n * 8, view.getUint16(from + 8), true);
    out.setUint32(8 + n * 8, tagsWithId.has(tag) ? view.getUint32(from + 4) : nobody, true);
  }
  return new Uint8Array(out.buffer);
}
