import { Struct, u8 } from "../../bytes/index.ts";
import type { FilePart, PartSource } from "../part-reader.ts";
import { damaged } from "../damaged.ts";
import { bothU32, disagreeing } from "./both-endian.ts";
import { storedBytes, storedLength, storedParts } from "./stored-bytes.ts";

/** RRIP 1.12 §4.1.7, from the start of the entry. */
export const sparseEntry = new Struct("Rock Ridge SF", 21, {
  sizeHigh: [4, bothU32],
  sizeLow: [12, bothU32],
  tableDepth: [20, u8],
});
/** As RRIP 1.10 had it. */
export const shortSparseEntry = new Struct("Rock Ridge SF of 1.10", 12, { sizeBytes: [4, bothU32] });
/** Such a file's tables cover up to 4 GiB. */
const shortTableDepth = 3;

/** An entry of a table (RRIP 1.12 §4.1.7.1). */
export const sparseTableEntry = new Struct("Rock Ridge sparse table entry", 8, { value: [0, bothU32] });
const entriesInTable = 256;
const tableBytes = entriesInTable * sparseTableEntry.sizeBytes;
/** What the entries of the shallowest table cover, and in what the places of data are counted. */
const dataBlockBytes = 256;
/** The root's place, in tables: what stands before it is not used. */
const rootTable = 1;
const deepest = 7;

/** Bits of an entry. */
const isEmpty = 0x8000_0000;
const isTable = 0x4000_0000;
const placeMask = 0x00ff_ffff;

/** What the SF entry of a file says. */
export interface SparseForm {
  readonly sizeBytes: number;
  /** An entry of the root table covers 256 to this power bytes. */
  readonly depth: number;
}

/** What an SF entry says. Throws `damaged` where no file can be of this form. */
export function decodeSparse(bytes: Uint8Array, what: string): SparseForm {
  const isShort = bytes.length === shortSparseEntry.sizeBytes;
  if (!isShort && bytes.length !== sparseEntry.sizeBytes) throw damaged(what, `its SF entry has ${bytes.length} bytes`);
  const [torn] = disagreeing((isShort ? shortSparseEntry : sparseEntry).fields, bytes);
  if (torn !== undefined) throw damaged(what, `the two byte orders of "${torn}" of its SF entry differ`);
  if (isShort) return { sizeBytes: shortSparseEntry.get(bytes, "sizeBytes"), depth: shortTableDepth };
  const { sizeHigh, sizeLow, tableDepth: depth } = sparseEntry.decode(bytes);
  if (depth < 1 || depth > deepest) throw damaged(what, `its table is of depth ${depth}, 1 to ${deepest} can be`);
  const sizeBytes = sizeHigh * 2 ** 32 + sizeLow;
  if (sizeBytes > Number.MAX_SAFE_INTEGER) throw damaged(what, `it has ${sizeBytes} bytes, more than can be read`);
  const coveredBytes = dataBlockBytes ** (depth + 1);
  if (sizeBytes <= coveredBytes) return { sizeBytes, depth };
  throw damaged(what, `it has ${sizeBytes} bytes, and its table covers ${coveredBytes}`);
}

/**
 * Where the data of a sparse file is, in ascending order; what stands together comes as one. `stored` is its file
 * section. Throws `damaged` where that contradicts itself. Takes no more time than the section has bytes, however
 * large the file: no table and no data serves twice.
 */
export async function* sparseParts(
  source: PartSource,
  stored: readonly FilePart[],
  { form, what }: { readonly form: SparseForm; readonly what: string },
): AsyncGenerator<FilePart> {
  let last: { -readonly [K in keyof FilePart]: FilePart[K] } | undefined;
  for await (const { at, storedAt, lengthBytes } of new SparseTables(source, stored, { form, what }).pieces()) {
    for (const part of storedParts(stored, storedAt, lengthBytes)) {
      const next = { ...part, at: at + part.at - storedAt };
      if (last !== undefined && follows(last, next)) {
        last.lengthBytes += next.lengthBytes;
      } else {
        if (last !== undefined) yield last;
        last = next;
      }
    }
  }
  if (last !== undefined) yield last;
}

function follows(last: FilePart, next: FilePart): boolean {
  return last.at + last.lengthBytes === next.at && last.deviceAt + last.lengthBytes === next.deviceAt;
}

interface StoredPiece {
  readonly at: number;
  readonly storedAt: number;
  readonly lengthBytes: number;
}

/** A table, and which part of the file it covers. */
interface TablePlace {
  readonly number: number;
  readonly depth: number;
  readonly at: number;
}

class SparseTables {
  readonly #source: PartSource;
  readonly #stored: readonly FilePart[];
  readonly #storedBytes: number;
  readonly #form: SparseForm;
  readonly #what: string;
  /** What tables and data have taken of the section so far. */
  #takenBytes = 0;

  constructor(
    source: PartSource,
    stored: readonly FilePart[],
    { form, what }: { readonly form: SparseForm; readonly what: string },
  ) {
    this.#source = source;
    this.#stored = stored;
    this.#storedBytes = storedLength(stored);
    this.#form = form;
    this.#what = what;
  }

  async *pieces(): AsyncGenerator<StoredPiece> {
    if (this.#form.sizeBytes > 0) yield* this.#under({ number: rootTable, depth: this.#form.depth, at: 0 });
  }

  async *#under({ number, depth, at }: TablePlace): AsyncGenerator<StoredPiece> {
    const { sizeBytes } = this.#form;
    const span = dataBlockBytes ** depth;
    const tableAt = number * tableBytes;
    this.#take(tableAt, tableBytes);
    const table = await storedBytes({ source: this.#source, parts: this.#stored }, tableAt, tableBytes);
    for (let n = 0, start = at; n < entriesInTable && start < sizeBytes; n++, start += span) {
      const value = this.#entry(table, n);
      if ((value & isEmpty) !== 0) continue;
      const place = value & placeMask;
      if ((value & isTable) === 0) {
        const piece = { at: start, storedAt: place * dataBlockBytes, lengthBytes: Math.min(span, sizeBytes - start) };
        this.#take(piece.storedAt, piece.lengthBytes);
        yield piece;
      } else if (depth === 1) {
        throw damaged(this.#what, "a table of its parts leads to another where none can follow");
      } else {
        yield* this.#under({ number: place, depth: depth - 1, at: start });
      }
    }
  }

  #entry(table: Uint8Array, n: number): number {
    const at = n * sparseTableEntry.sizeBytes;
    const bytes = table.subarray(at, at + sparseTableEntry.sizeBytes);
    if (disagreeing(sparseTableEntry.fields, bytes).length === 0) return sparseTableEntry.get(bytes, "value");
    throw damaged(this.#what, "the two byte orders of an entry of its table of parts differ");
  }

  /** Throws `damaged` for what is not stored, or must be there already under another entry. */
  #take(at: number, lengthBytes: number): void {
    if (at + lengthBytes > this.#storedBytes) {
      throw damaged(this.#what, `a part of it ends at byte ${at + lengthBytes} of the ${this.#storedBytes} stored`);
    }
    this.#takenBytes += lengthBytes;
    if (this.#takenBytes > this.#storedBytes) {
      throw damaged(this.#what, `its parts have more bytes than the ${this.#storedBytes} that are stored`);
    }
  }
}
