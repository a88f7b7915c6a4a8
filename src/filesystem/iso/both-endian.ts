import type { FieldType } from "../../bytes/index.ts";

/** A 16-bit number in both byte orders, little-endian first, of which that one is read (ECMA-119 §7.2.3). */
export const bothU16: FieldType<number> = {
  sizeBytes: 4,
  decode: (view, at) => view.getUint16(at, true),
  encode(view, at, value) {
    view.setUint16(at, value, true);
    view.setUint16(at + 2, value, false);
  },
};

/** A 32-bit number in both byte orders, little-endian first, of which that one is read (ECMA-119 §7.3.3). */
export const bothU32: FieldType<number> = {
  sizeBytes: 8,
  decode: (view, at) => view.getUint32(at, true),
  encode(view, at, value) {
    view.setUint32(at, value, true);
    view.setUint32(at + 4, value, false);
  },
};

type Fields = Readonly<Record<string, readonly [offset: number, type: { readonly sizeBytes: number }]>>;

/** The names of the fields in both byte orders of which the two halves differ in a record at the start of `bytes`. */
export function disagreeing(fields: Fields, bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const types: readonly { readonly sizeBytes: number }[] = [bothU16, bothU32];
  return Object.entries(fields)
    .filter(([, [at, type]]) => types.includes(type) && !agrees(view, at, type.sizeBytes))
    .map(([name]) => name);
}

function agrees(view: DataView, at: number, sizeBytes: number): boolean {
  if (sizeBytes === 4) return view.getUint16(at, true) === view.getUint16(at + 2, false);
  return view.getUint32(at, true) === view.getUint32(at + 4, false);
}
