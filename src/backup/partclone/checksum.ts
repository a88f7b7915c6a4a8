import { crc32 } from "node:zlib";
import { Xxhash3, Xxhash64 } from "../../bytes/index.ts";

/** `first-byte` is what version 1 has: over the first byte of each block, as often as the block has bytes. */
export type ChecksumKind = "none" | "crc32" | "xxh64" | "xxh3-128" | "first-byte";

/** How the header names each; version 1 has no name. */
export const checksumCodes: Readonly<Record<ChecksumKind, { readonly code: number; readonly sizeBytes: number }>> = {
  none: { code: 0, sizeBytes: 0 },
  crc32: { code: 0x20, sizeBytes: 4 },
  xxh64: { code: 0x30, sizeBytes: 8 },
  "xxh3-128": { code: 0x31, sizeBytes: 16 },
  "first-byte": { code: 0xff, sizeBytes: 4 },
};

export function checksumKindOf(code: number): ChecksumKind | undefined {
  const kinds = ["none", "crc32", "xxh64", "xxh3-128"] as const;
  return kinds.find((kind) => checksumCodes[kind].code === code);
}

/** A checksum over bytes that come in pieces. */
export interface Checksum {
  update(bytes: Uint8Array): void;
  /** Of all since the last `reset`, as the image has it. */
  digest(): Uint8Array;
  reset(): void;
}

const makers: Readonly<Record<ChecksumKind, (blockBytes: number) => Checksum>> = {
  none: () => ({ update() {}, digest: () => new Uint8Array(0), reset() {} }),
  crc32: () => new Crc32Checksum(),
  xxh64: () =>
    new HashChecksum(
      () => new Xxhash64(),
      (hash) => littleEndian(hash.digest()),
    ),
  "xxh3-128": () => new HashChecksum(() => new Xxhash3(), xxh3Bytes),
  "first-byte": (blockBytes) => new FirstByteChecksum(blockBytes),
};

/** `blockBytes` matters to `first-byte`. */
export function checksumOf(kind: ChecksumKind, blockBytes: number): Checksum {
  return makers[kind](blockBytes);
}

class Crc32Checksum implements Checksum {
  protected crc = 0;

  update(bytes: Uint8Array): void {
    this.crc = crc32(bytes, this.crc);
  }

  digest(): Uint8Array {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(~this.crc >>> 0);
    return bytes;
  }

  reset(): void {
    this.crc = 0;
  }
}

class FirstByteChecksum extends Crc32Checksum {
  readonly #repeated: Uint8Array;
  #inBlock = 0;

  constructor(blockBytes: number) {
    super();
    this.#repeated = new Uint8Array(blockBytes);
  }

  override update(bytes: Uint8Array): void {
    const blockBytes = this.#repeated.length;
    for (let at = 0; at < bytes.length;) {
      if (this.#inBlock === 0) {
        this.#repeated.fill(bytes[at] ?? 0);
        this.crc = crc32(this.#repeated, this.crc);
      }
      const count = Math.min(blockBytes - this.#inBlock, bytes.length - at);
      this.#inBlock = (this.#inBlock + count) % blockBytes;
      at += count;
    }
  }
}

class HashChecksum<Hash extends { update(bytes: Uint8Array): void }> implements Checksum {
  readonly #make: () => Hash;
  readonly #digest: (hash: Hash) => Uint8Array;
  #hash: Hash;

  constructor(make: () => Hash, digest: (hash: Hash) => Uint8Array) {
    this.#make = make;
    this.#digest = digest;
    this.#hash = make();
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  digest(): Uint8Array {
    return this.#digest(this.#hash);
  }

  reset(): void {
    this.#hash = this.#make();
  }
}

function xxh3Bytes(hash: Xxhash3): Uint8Array {
  const { low, high } = hash.digest();
  return Buffer.concat([littleEndian(low), littleEndian(high)]);
}

function littleEndian(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
