/**
 * A field of an on-disk record: how many bytes it takes and how they become a value.
 * Decoders get a view of the whole buffer and the place of the field in it.
 */
export interface FieldType<T> {
  readonly sizeBytes: number;
  decode(view: DataView, at: number): T;
  encode(view: DataView, at: number, value: T): void;
}

// The codec is the one place that needs `any`: a table holds fields of every type.
// oxlint-disable-next-line typescript/no-explicit-any
type FieldTable = Readonly<Record<string, readonly [offset: number, type: FieldType<any>]>>;

type ValueOf<F> = F extends readonly [number, FieldType<infer T>] ? T : never;

/** The decoded record of a struct: `StructRecord<typeof gptHeader>`. */
export type StructRecord<S> = S extends Struct<infer F> ? { -readonly [K in keyof F]: ValueOf<F[K]> } : never;

/**
 * An on-disk or on-wire record, declared once as a table of named fields at explicit offsets.
 * Fields may not overlap nor pass the end; both are checked when the table is loaded. Bytes that no
 * field names survive `patch`.
 */
export class Struct<F extends FieldTable> {
  readonly name: string;
  readonly sizeBytes: number;
  readonly fields: F;
  readonly #entries: readonly (readonly [string, number, FieldType<unknown>])[];

  constructor(name: string, sizeBytes: number, fields: F) {
    this.name = name;
    this.sizeBytes = sizeBytes;
    this.fields = fields;
    this.#entries = Object.entries(fields).map(([key, [offset, type]]) => [key, offset, type]);
    this.#refuseOverlap();
  }

  /** All fields as values. `bytes` holds at least `sizeBytes` from `at` on. */
  decode(bytes: Uint8Array, at = 0): { -readonly [K in keyof F]: ValueOf<F[K]> } {
    const view = viewOf(bytes);
    const start = this.#startIn(bytes, at);
    const record: Record<string, unknown> = {};
    for (const [key, offset, type] of this.#entries) record[key] = type.decode(view, start + offset);
    return record as { -readonly [K in keyof F]: ValueOf<F[K]> };
  }

  /** One field as a value. */
  get<K extends keyof F & string>(bytes: Uint8Array, key: K, at = 0): ValueOf<F[K]> {
    const [offset, type] = this.fields[key] as readonly [number, FieldType<ValueOf<F[K]>>];
    return type.decode(viewOf(bytes), this.#startIn(bytes, at) + offset);
  }

  /** Writes the fields given and leaves every other byte as it is. */
  patch(bytes: Uint8Array, values: Partial<{ [K in keyof F]: ValueOf<F[K]> }>, at = 0): void {
    const view = viewOf(bytes);
    const start = this.#startIn(bytes, at);
    for (const key in values) {
      const field = this.fields[key];
      if (field === undefined) throw new TypeError(`${this.name} has no field ${key}`);
      const value = values[key];
      if (value !== undefined) field[1].encode(view, start + field[0], value);
    }
  }

  /** A new record: the fields given, zero everywhere else. */
  encode(values: Partial<{ [K in keyof F]: ValueOf<F[K]> }>): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.sizeBytes);
    this.patch(bytes, values);
    return bytes;
  }

  /** Where in the buffer under `bytes` the record starts. */
  #startIn(bytes: Uint8Array, at: number): number {
    if (at < 0 || at + this.sizeBytes > bytes.length) {
      throw new RangeError(`${this.name}: ${this.sizeBytes} bytes at ${at} pass the end at ${bytes.length}`);
    }
    return bytes.byteOffset + at;
  }

  #refuseOverlap(): void {
    const byOffset = this.#entries.toSorted((a, b) => a[1] - b[1]);
    let end = 0;
    let before = "the start";
    for (const [key, offset, type] of byOffset) {
      if (offset < end) throw new TypeError(`${this.name}: ${key} at ${offset} overlaps ${before}`);
      end = offset + type.sizeBytes;
      before = key;
    }
    if (end > this.sizeBytes) throw new TypeError(`${this.name}: ${before} passes the end at ${this.sizeBytes}`);
  }
}

let lastView: DataView = new DataView(new ArrayBuffer(0));

/** Records are mostly read and written many to a buffer: its view is made once. */
function viewOf(bytes: Uint8Array): DataView {
  if (lastView.buffer !== bytes.buffer) lastView = new DataView(bytes.buffer);
  return lastView;
}
