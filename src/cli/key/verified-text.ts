import { printableName } from "../../bytes/index.ts";
import { algorithmTitle, type Evidence, type IsoVerification } from "../../key/index.ts";

/** Who says that an ISO is what it should be, in a phrase. */
export function verifiedText({ level, evidence }: IsoVerification): string {
  // Of several the one that is worth most: lists with better hashes stand for the rest.
  const [found] = evidence
    .filter((one) => isOfLevel(one, level))
    .toSorted((one, other) => Number(isWeak(one)) - Number(isWeak(other)));
  if (found === undefined) return "not verified";
  const { file, algorithm, signers = [], fileCount } = found;
  const [signer] = signers;
  if (level === "signed" && signer !== undefined) {
    return `signed by ${printableName(signer.userId)}, key ${printableName(signer.fingerprint)}`;
  }
  const name = printableName(file);
  if (level === "sum")
    return `its ${algorithm === undefined ? "sum" : algorithmTitle(algorithm)} is that in ${name}, which nobody known here has signed`;
  const what = fileCount === undefined ? "the sum" : `the sums of ${fileCount} files`;
  return `whole, by ${what} in it (${name})`;
}

/** The same in a word, for tables. */
export function verifiedWord(verified: IsoVerification | undefined): string {
  const words = { signed: "signed", sum: "sum", embedded: "sum in it", none: "no" } as const;
  return verified === undefined ? "" : words[verified.level];
}

/** Keys that have signed an ISO and are not known here. */
export function unknownKeysOf({
  level,
  evidence,
}: IsoVerification): readonly { readonly file: string; readonly key: string }[] {
  if (level === "signed") return [];
  return evidence.flatMap(({ file, unknownKeys = [] }) => unknownKeys.map((key) => ({ file, key })));
}

function isOfLevel({ isInside, signers = [], algorithm }: Evidence, level: IsoVerification["level"]): boolean {
  if (level === "signed") return signers.length > 0;
  if (level === "none") return false;
  return algorithm !== undefined && (isInside === true) === (level === "embedded");
}

function isWeak({ algorithm }: Evidence): boolean {
  return algorithm === "md5" || algorithm === "sha1";
}
