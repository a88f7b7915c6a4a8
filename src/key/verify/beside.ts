import * as fs from "node:fs";
import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import { formatSize, printableName } from "../../bytes/index.ts";
import {
  isArmoured,
  isCleartext,
  openSigned,
  readDetached,
  withDetached,
  type Signature,
  type SignedContent,
} from "../../openpgp/index.ts";
import { asSumFile, isListOf, signatureNames, type SumFileName } from "./sum-file-names.ts";
import { parseSumList, type ListedSum } from "./sum-list.ts";

/** A list of sums beside an ISO. */
export interface SumList {
  readonly file: string;
  /** What it says of this ISO. */
  readonly own: readonly ListedSum[];
  /** What it says of others. */
  readonly others: readonly ListedSum[];
  readonly signatures: readonly FoundSignatures[];
}

/** Signatures and what they are over. */
export interface FoundSignatures {
  /** The file that has them. */
  readonly file: string;
  readonly signed: SignedContent;
}

/** Signatures of the ISO itself. */
export interface IsoSignatures {
  readonly file: string;
  readonly signatures: readonly Signature[];
}

export interface Beside {
  readonly lists: readonly SumList[];
  readonly signatures: readonly IsoSignatures[];
  /** What is there and cannot be used, a sentence each. */
  readonly warnings: readonly string[];
}

/** Lists of sums, keys and signatures are smaller by far. */
const listLimitBytes = 8 * 1024 * 1024;
/** So many lists in one folder are those of an archive, and the one that is wanted is named for its ISO. */
const listLimit = 500;
/** What other programs for signatures begin their files with: signify, minisign. */
const foreignSignature = "untrusted comment:";

/** What there is beside an ISO file that tells whether it is what it should be. */
export function lookBeside(isoPath: string): Beside {
  return new Folder(path.dirname(isoPath), path.basename(isoPath)).look();
}

class Folder {
  readonly #folder: string;
  readonly #isoName: string;
  readonly #names: ReadonlySet<string>;
  readonly #warnings: string[] = [];

  constructor(folder: string, isoName: string) {
    this.#folder = folder;
    this.#isoName = isoName;
    this.#names = new Set(namesIn(folder));
  }

  look(): Beside {
    const found = [...this.#names].toSorted().flatMap((name) => asSumFile(name) ?? []);
    const own = found.filter(({ name }) => isListOf(this.#isoName, name));
    const general = found.filter((one) => !own.includes(one)).slice(0, listLimit);
    const lists = [...own, ...general].flatMap((one) => this.#listIn(one) ?? []);
    const signatures = signatureNames(this.#isoName).flatMap((name) => {
      if (!this.#names.has(name)) return [];
      const signed = this.#attempt(name, (bytes) => this.#detachedIn(name, bytes));
      return signed === undefined ? [] : [{ file: name, signatures: signed }];
    });
    return { lists, signatures, warnings: this.#warnings };
  }

  #listIn({ name, algorithm }: SumFileName): SumList | undefined {
    // What is only called so in passing may be anything.
    if (algorithm === undefined && this.#isTooLarge(name)) return undefined;
    return this.#attempt(name, (bytes) => {
      const form = formOf(bytes);
      if (form === "detached") return undefined;
      const signed = form === "signed" ? openSigned(bytes) : undefined;
      const content = signed?.content ?? bytes;
      const listed = parseSumList(Buffer.from(content).toString("utf8"), algorithm);
      const named = listed.filter((one) => this.#isOwn(one, name));
      // The list of this ISO alone may have another name for it: that of a snapshot, where the ISO is "current".
      const own = named.length === 0 && listed.length === 1 && isListOf(this.#isoName, name) ? listed : named;
      const others = listed.filter((one) => one.name !== undefined && !own.includes(one));
      if (own.length === 0 && isListOf(this.#isoName, name)) {
        this.#warnings.push(`there is no sum of ${this.#isoName} in ${quoted(name)}`);
      }
      if (own.length === 0 && others.length === 0) return undefined;
      const inside = signed === undefined ? [] : [{ file: name, signed }];
      return { file: name, own, others, signatures: [...inside, ...this.#detachedOf(name, bytes)] };
    });
  }

  #isOwn({ name }: ListedSum, listName: string): boolean {
    return name === undefined ? isListOf(this.#isoName, listName) : name === this.#isoName;
  }

  #detachedOf(name: string, content: Uint8Array): readonly FoundSignatures[] {
    return signatureNames(name).flatMap((file) => {
      if (!this.#names.has(file)) return [];
      const signed = this.#attempt(file, (bytes) => {
        return this.#detachedIn(file, bytes) === undefined ? undefined : withDetached(content, bytes);
      });
      return signed === undefined ? [] : [{ file, signed }];
    });
  }

  #detachedIn(name: string, bytes: Uint8Array): readonly Signature[] | undefined {
    if (Buffer.from(bytes.subarray(0, foreignSignature.length)).toString("latin1") === foreignSignature) {
      this.#warnings.push(`${quoted(name)} is a signature of another kind than OpenPGP, which is not checked here`);
      return undefined;
    }
    // A list that is signed in itself has the ending of a signature, too.
    return formOf(bytes) === "signed" ? undefined : readDetached(bytes);
  }

  /** A file that cannot be used is told of, and left out: whoever wants to deceive would not put it there. */
  #attempt<T>(name: string, use: (bytes: Uint8Array) => T | undefined): T | undefined {
    try {
      const bytes = this.#read(name);
      return bytes === undefined ? undefined : use(bytes);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#warnings.push(`${quoted(name)} does not count: ${error.message}`);
      return undefined;
    }
  }

  #isTooLarge(name: string): boolean {
    const stat = fs.statSync(path.join(this.#folder, name), { throwIfNoEntry: false });
    return stat !== undefined && stat.size > listLimitBytes;
  }

  #read(name: string): Uint8Array | undefined {
    const file = path.join(this.#folder, name);
    try {
      const stat = fs.statSync(file);
      const { size } = stat;
      if (!stat.isFile()) return undefined;
      if (size <= listLimitBytes) return fs.readFileSync(file);
      throw new Failure(
        "failed",
        `it has ${formatSize(size)}, lists and signatures have ${formatSize(listLimitBytes)} at most`,
      );
    } catch (error) {
      if (error instanceof Failure) throw error;
      return undefined; // gone, or not for this user to read
    }
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return []; // files can be opened in folders that may not be listed
  }
}

function quoted(name: string): string {
  return `"${printableName(name)}"`;
}

/** What a file beside an ISO is: a text, something with its signature in it, or a signature alone. */
function formOf(bytes: Uint8Array): "plain" | "signed" | "detached" {
  if (isCleartext(bytes)) return "signed";
  if (isArmoured(bytes)) return Buffer.from(bytes).includes("-----BEGIN PGP SIGNATURE-----") ? "detached" : "signed";
  const isBinary = ((bytes[0] ?? 0) & 0x80) !== 0 && Buffer.from(bytes.subarray(0, 3)).toString("hex") !== "efbbbf";
  if (!isBinary) return "plain";
  const tag = ((bytes[0] ?? 0) & 0x40) !== 0 ? (bytes[0] ?? 0) & 0x3f : ((bytes[0] ?? 0) >> 2) & 0xf;
  return tag === 2 ? "detached" : "signed";
}
