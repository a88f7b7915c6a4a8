import { Failure } from "../base/index.ts";

/** Reads a record from front to end; what is asked for beyond its end throws `damaged`. */
export class Octets {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.take(1)[0] ?? 0;
  }

  u16(): number {
    return this.u8() * 2 ** 8 + this.u8();
  }

  u32(): number {
    return this.u16() * 2 ** 16 + this.u16();
  }

  /** The next bytes, not copied. */
  take(count: number): Uint8Array {
    if (count > this.left) throw new Failure("damaged", "an OpenPGP packet ends too soon");
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  rest(): Uint8Array {
    return this.take(this.left);
  }

  /** A number of any length (RFC 9580 §3.2), without leading zeros. */
  mpi(): Uint8Array {
    const bits = this.u16();
    const bytes = this.take(Math.ceil(bits / 8));
    const first = bytes.findIndex((octet) => octet !== 0);
    return first < 0 ? bytes.subarray(bytes.length) : bytes.subarray(first);
  }
}
