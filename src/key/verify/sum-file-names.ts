import { algorithmNamed, type SumAlgorithm } from "./sum-list.ts";

/** How signatures of a file are named, behind its own name. */
const signatureEndings = [".asc", ".sig", ".sign", ".gpg"] as const;

const hash = "(?:md5|sha-?(?:1|224|256|384|512)|b2|blake2b?)";
/** `SHA256SUMS`, `sha256sum.txt`, `b2sums.txt`; `debian.iso.sha256`, `debian.sha256sum.txt`; Gentoo's `debian.iso.DIGESTS`. */
const listOfHash = new RegExp(String.raw`^(?:.*[._-])?(${hash})(?:sums?)?(?:\.txt)?$`, "i");
/** Fedora's `Fedora-Server-40-1.14-x86_64-CHECKSUM`, FreeBSD's `CHECKSUM.SHA256-…`. */
const listOfAny = /checksums?|\.digests$/i;

/** A file that by its name may be a list of sums. */
export interface SumFileName {
  readonly name: string;
  /** The hash that its name tells. */
  readonly algorithm?: SumAlgorithm;
}

/** The file as a list of sums, if its name is that of one. Lists may have their signature in them, and then end like one. */
export function asSumFile(name: string): SumFileName | undefined {
  if (/\.iso$/i.test(name)) return undefined;
  const base = withoutSignatureEnding(name);
  const kind = listOfHash.exec(base)?.[1];
  if (kind === undefined) return listOfAny.test(base) ? { name } : undefined;
  const algorithm = algorithmNamed(kind === "blake2" ? "blake2b" : kind);
  return algorithm === undefined ? { name } : { name, algorithm };
}

/** Whether the name says that it is the list of this ISO alone: `debian.iso.sha256`, `debian.sha256`. */
export function isListOf(isoName: string, listName: string): boolean {
  const stem = isoName.replace(/\.iso$/i, "");
  return listName.startsWith(`${isoName}.`) || new RegExp(String.raw`^\.${hash}`, "i").test(afterStem(listName, stem));
}

function afterStem(name: string, stem: string): string {
  return name.startsWith(stem) ? name.slice(stem.length) : "";
}

/** The names that a detached signature of a file may have. */
export function signatureNames(name: string): readonly string[] {
  return signatureEndings.map((ending) => name + ending);
}

function withoutSignatureEnding(name: string): string {
  const ending = signatureEndings.find((one) => name.toLowerCase().endsWith(one));
  return ending === undefined ? name : name.slice(0, -ending.length);
}
