const [prime1, prime2, prime3, prime4, prime5] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1];
const stripeBytes = 16;

/** XXH32 (xxHash specification 0.1.1) of bytes that come in pieces, with the seed 0. */
export class Xxhash32 {
  #a = (prime1 + prime2) | 0;
  #b = prime2 | 0;
  #c = 0;
  #d = -prime1 | 0;
  readonly #rest = new Uint8Array(stripeBytes);
  #restBytes = 0;
  #totalBytes = 0;

  update(bytes: Uint8Array): void {
    this.#totalBytes += bytes.length;
    let at = 0;
    if (this.#restBytes > 0) {
      at = Math.min(stripeBytes - this.#restBytes, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#restBytes);
      this.#restBytes += at;
      if (this.#restBytes < stripeBytes) return;
      this.#stripes(this.#rest, 0, stripeBytes);
      this.#restBytes = 0;
    }
    const end = at + Math.floor((bytes.length - at) / stripeBytes) * stripeBytes;
    this.#stripes(bytes, at, end);
    this.#rest.set(bytes.subarray(end));
    this.#restBytes = bytes.length - end;
  }

  /** Of all so far. */
  digest(): number {
    const isShort = this.#totalBytes < stripeBytes;
    const mixed = rotated(this.#a, 1) + rotated(this.#b, 7) + rotated(this.#c, 12) + rotated(this.#d, 18);
    let hash = ((isShort ? prime5 : mixed) + this.#totalBytes) | 0;
    const view = new DataView(this.#rest.buffer);
    let at = 0;
    for (; at + 4 <= this.#restBytes; at += 4) {
      hash = Math.imul(rotated((hash + Math.imul(view.getUint32(at, true), prime3)) | 0, 17), prime4);
    }
    for (; at < this.#restBytes; at++) {
      hash = Math.imul(rotated((hash + Math.imul(view.getUint8(at), prime5)) | 0, 11), prime1);
    }
    hash = Math.imul(hash ^ (hash >>> 15), prime2);
    hash = Math.imul(hash ^ (hash >>> 13), prime3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  #stripes(bytes: Uint8Array, start: number, end: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let [a, b, c, d] = [this.#a, this.#b, this.#c, this.#d];
    for (let at = start; at < end; at += stripeBytes) {
      a = round(a, view.getInt32(at, true));
      b = round(b, view.getInt32(at + 4, true));
      c = round(c, view.getInt32(at + 8, true));
      d = round(d, view.getInt32(at + 12, true));
    }
    [this.#a, this.#b, this.#c, this.#d] = [a, b, c, d];
  }
}

function round(state: number, word: number): number {
  return Math.imul(rotated((state + Math.imul(word, prime2)) | 0, 13), prime1);
}

function rotated(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}
