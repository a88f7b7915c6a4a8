/** One value of DER (X.690 §8.1): its tag with class and form, its content, and all of it. */
export interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly whole: Uint8Array;
}

/** The tags that are used here (X.680 §8.4). */
export const derTags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectId: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
  firstOfContext: 0xa0,
} as const;

/** The value at the start of the bytes, and what is behind it; undefined where it is cut off, or no DER. */
export function readDer(bytes: Uint8Array): { readonly value: DerValue; readonly rest: Uint8Array } | undefined {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return undefined; // no tag of several bytes
  let start = 2;
  let length = first;
  if (first >= 0x80) {
    const count = first - 0x80;
    if (count === 0 || count > 4 || bytes.length < start + count) return undefined;
    length = bytes.subarray(start, start + count).reduce((sum, byte) => sum * 256 + byte, 0);
    start += count;
  }
  const end = start + length;
  if (end > bytes.length) return undefined;
  const value = { tag, content: bytes.subarray(start, end), whole: bytes.subarray(0, end) };
  return { value, rest: bytes.subarray(end) };
}

/** The values that the bytes are made of, up to the first that is none. */
export function derValues(bytes: Uint8Array): readonly DerValue[] {
  const values: DerValue[] = [];
  for (let read = readDer(bytes); read !== undefined; read = readDer(read.rest)) values.push(read.value);
  return values;
}
