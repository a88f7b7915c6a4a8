import type { FieldType } from "./struct.ts";

function numberField(
  sizeBytes: number,
  littleEndian: boolean,
  read: (view: DataView, at: number, littleEndian: boolean) => number,
  write: (view: DataView, at: number, value: number, littleEndian: boolean) => void,
  range: readonly [lowest: number, highest: number],
): FieldType<number> {
  return {
    sizeBytes,
    decode: (view, at) => read(view, at, littleEndian),
    encode(view, at, value) {
      if (!Number.isInteger(value) || value < range[0] || value > range[1]) {
        throw new RangeError(`${value} does not fit ${sizeBytes} bytes`);
      }
      write(view, at, value, littleEndian);
    },
  };
}

const unsigned = (bits: number): readonly [number, number] => [0, 2 ** bits - 1];
const signed = (bits: number): readonly [number, number] => [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];

function u16Field(littleEndian: boolean): FieldType<number> {
  return numberField(
    2,
    littleEndian,
    (v, at, le) => v.getUint16(at, le),
    (v, at, x, le) => v.setUint16(at, x, le),
    unsigned(16),
  );
}

function u32Field(littleEndian: boolean): FieldType<number> {
  return numberField(
    4,
    littleEndian,
    (v, at, le) => v.getUint32(at, le),
    (v, at, x, le) => v.setUint32(at, x, le),
    unsigned(32),
  );
}

/** A count or an address in 64 bits, as a number; values above 2⁵³−1 throw a `RangeError`. */
function u64Field(littleEndian: boolean): FieldType<number> {
  return numberField(
    8,
    littleEndian,
    (v, at, le) => {
      const value = v.getUint32(at + (le ? 4 : 0), le) * 2 ** 32 + v.getUint32(at + (le ? 0 : 4), le);
      if (!Number.isSafeInteger(value)) throw new RangeError(`a 64-bit count of ${value} is above 2^53-1`);
      return value;
    },
    (v, at, x, le) => {
      v.setUint32(at + (le ? 4 : 0), Math.floor(x / 2 ** 32), le);
      v.setUint32(at + (le ? 0 : 4), x % 2 ** 32, le);
    },
    [0, Number.MAX_SAFE_INTEGER],
  );
}

export const u8: FieldType<number> = numberField(
  1,
  true,
  (v, at) => v.getUint8(at),
  (v, at, x) => v.setUint8(at, x),
  unsigned(8),
);
export const u16: FieldType<number> = u16Field(true);
export const u32: FieldType<number> = u32Field(true);
export const u64: FieldType<number> = u64Field(true);
export const u16be: FieldType<number> = u16Field(false);
export const u32be: FieldType<number> = u32Field(false);
export const u64be: FieldType<number> = u64Field(false);
export const i32: FieldType<number> = numberField(
  4,
  true,
  (v, at, le) => v.getInt32(at, le),
  (v, at, x, le) => v.setInt32(at, x, le),
  signed(32),
);

/** An opaque 64-bit value. */
export const bits64: FieldType<bigint> = {
  sizeBytes: 8,
  decode: (view, at) => view.getBigUint64(at, true),
  encode: (view, at, value) => view.setBigUint64(at, value, true),
};

export const bits64be: FieldType<bigint> = {
  sizeBytes: 8,
  decode: (view, at) => view.getBigUint64(at),
  encode: (view, at, value) => view.setBigUint64(at, value),
};

/** Bytes as they are: decoding copies them out. */
export function bytes(sizeBytes: number): FieldType<Uint8Array> {
  return {
    sizeBytes,
    decode: (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, sizeBytes).slice(),
    encode(view, at, value) {
      if (value.length !== sizeBytes) throw new RangeError(`${value.length} bytes given, ${sizeBytes} needed`);
      new Uint8Array(view.buffer, view.byteOffset + at, sizeBytes).set(value);
    },
  };
}

/** Text padded with NUL: decoding stops at the first NUL. One byte a character (Latin-1). */
export function ascii(sizeBytes: number): FieldType<string> {
  return {
    sizeBytes,
    decode(view, at) {
      const raw = Buffer.from(view.buffer, view.byteOffset + at, sizeBytes);
      const end = raw.indexOf(0);
      return raw.toString("latin1", 0, end < 0 ? sizeBytes : end);
    },
    encode(view, at, value) {
      if (value.length > sizeBytes) throw new RangeError(`"${value}" is longer than ${sizeBytes} bytes`);
      const raw = Buffer.from(view.buffer, view.byteOffset + at, sizeBytes);
      raw.fill(0);
      raw.write(value, "latin1");
    },
  };
}

/** `count` values of one type, one after the other. */
export function array<T>(type: FieldType<T>, count: number): FieldType<readonly T[]> {
  return {
    sizeBytes: type.sizeBytes * count,
    decode: (view, at) => Array.from({ length: count }, (_, n) => type.decode(view, at + n * type.sizeBytes)),
    encode(view, at, values) {
      if (values.length !== count) throw new RangeError(`${values.length} values given, ${count} needed`);
      values.forEach((value, n) => type.encode(view, at + n * type.sizeBytes, value));
    },
  };
}

/** A UUID in the byte order of RFC 9562, as text in lower case. */
export const uuid: FieldType<string> = {
  sizeBytes: 16,
  decode: (view, at) => uuidText(Buffer.from(view.buffer, view.byteOffset + at, 16).toString("hex")),
  encode(view, at, value) {
    Buffer.from(view.buffer, view.byteOffset + at, 16).set(uuidBytes(value));
  },
};

/** A UUID whose first three groups are little-endian, as GPT keeps it (UEFI 2.10 appendix A), as text in upper case. */
export const guid: FieldType<string> = {
  sizeBytes: 16,
  decode(view, at) {
    const raw = Buffer.from(view.buffer, view.byteOffset + at, 16);
    return uuidText(swapGuid(raw).toString("hex")).toUpperCase();
  },
  encode(view, at, value) {
    Buffer.from(view.buffer, view.byteOffset + at, 16).set(swapGuid(uuidBytes(value)));
  },
};

function uuidText(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function uuidBytes(text: string): Buffer {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) throw new RangeError(`"${text}" is not a UUID`);
  return Buffer.from(text.replaceAll("-", ""), "hex");
}

function swapGuid(raw: Buffer): Buffer {
  const swapped = Buffer.from(raw);
  swapped.subarray(0, 4).reverse();
  swapped.subarray(4, 6).reverse();
  swapped.subarray(6, 8).reverse();
  return swapped;
}
