import * as crypto from "node:crypto";
import { OpenVerdict, type Signature, type Verdict, type VerifyOptions } from "../../openpgp/index.ts";
import type { SumAlgorithm } from "./sum-list.ts";

/** What is to be found out while the bytes of a file come by, once, in order. A plain value: it goes to another thread. */
export type HashTask =
  | {
      readonly kind: "sum";
      readonly algorithm: SumAlgorithm;
      /** Of the file's start; the whole file where absent. */
      readonly sizeBytes?: number;
      /** A stretch that is taken for blanks. */
      readonly blank?: ByteRange;
    }
  /** The sums of many parts of the file, in ascending order of their starts. */
  | { readonly kind: "parts"; readonly parts: readonly PartToSum[] }
  | { readonly kind: "signature"; readonly signature: Signature; readonly options: VerifyOptions };

export interface ByteRange {
  readonly at: number;
  readonly lengthBytes: number;
}

export interface PartToSum extends ByteRange {
  readonly algorithm: SumAlgorithm;
}

/** Sums are lower-case hexadecimal; those of parts in the order of the parts. */
export type HashResult =
  | { readonly kind: "sum"; readonly hex: string }
  | { readonly kind: "parts"; readonly hexes: readonly string[] }
  | { readonly kind: "signature"; readonly verdict: Verdict };

/** Takes the bytes of a file, each stretch right behind the one before. */
export interface Hashing {
  update(at: number, bytes: Uint8Array): void;
  result(): HashResult;
}

export function startHashing(task: HashTask): Hashing {
  if (task.kind === "parts") return new PartHashing(task.parts);
  if (task.kind === "signature") {
    const open = new OpenVerdict(task.signature, task.options);
    return {
      update: (_, bytes) => open.update(bytes),
      result: () => ({ kind: "signature", verdict: open.verdict(true) }),
    };
  }
  const { algorithm, sizeBytes = Infinity, blank } = task;
  const hash = crypto.createHash(algorithm);
  return {
    update(at, bytes) {
      const wanted = bytes.subarray(0, Math.max(0, sizeBytes - at));
      hash.update(blank === undefined ? wanted : blanked(at, wanted, blank));
    },
    result: () => ({ kind: "sum", hex: hash.digest("hex") }),
  };
}

function blanked(at: number, bytes: Uint8Array, blank: ByteRange): Uint8Array {
  const start = Math.max(0, blank.at - at);
  const end = Math.min(bytes.length, blank.at + blank.lengthBytes - at);
  if (start >= end) return bytes;
  const copy = Uint8Array.from(bytes);
  copy.fill(0x20, start, end);
  return copy;
}

class PartHashing implements Hashing {
  readonly #parts: readonly PartToSum[];
  readonly #hexes: string[];
  readonly #open = new Map<number, crypto.Hash>();
  #next = 0;

  constructor(parts: readonly PartToSum[]) {
    this.#parts = parts;
    this.#hexes = parts.map(() => "");
  }

  update(at: number, bytes: Uint8Array): void {
    const end = at + bytes.length;
    for (let part = this.#parts[this.#next]; part !== undefined && part.at < end; part = this.#parts[this.#next]) {
      this.#open.set(this.#next, crypto.createHash(part.algorithm));
      this.#next++;
    }
    for (const [number, hash] of this.#open) {
      const part = this.#parts[number];
      if (part === undefined) continue;
      const partEnd = part.at + part.lengthBytes;
      hash.update(bytes.subarray(Math.max(0, part.at - at), Math.max(0, Math.min(bytes.length, partEnd - at))));
      if (partEnd > end) continue;
      this.#hexes[number] = hash.digest("hex");
      this.#open.delete(number);
    }
  }

  /** A part that lies beyond the end of the file has the sum "". */
  result(): HashResult {
    return { kind: "parts", hexes: this.#hexes };
  }
}
