/** Hashes by which files are told from others, as Node calls them. */
export type SumAlgorithm = "md5" | "sha1" | "sha224" | "sha256" | "sha384" | "sha512" | "blake2b512";

/** What a list says of a file. */
export interface ListedSum {
  /** As the list spells it; absent where the list is a sum and nothing else. */
  readonly name?: string;
  readonly algorithm: SumAlgorithm;
  /** Lower-case hexadecimal. */
  readonly hex: string;
}

/** Hashes that somebody can make a second file for, or soon will. */
const weakAlgorithms: readonly SumAlgorithm[] = ["md5", "sha1"];

export function isWeak(algorithm: SumAlgorithm): boolean {
  return weakAlgorithms.includes(algorithm);
}

/** As people write it. */
export function algorithmTitle(algorithm: SumAlgorithm): string {
  return algorithm === "blake2b512" ? "BLAKE2b" : algorithm.toUpperCase().replace(/^SHA/, "SHA-");
}

const algorithmOfDigits: ReadonlyMap<number, SumAlgorithm> = new Map([
  [32, "md5"],
  [40, "sha1"],
  [56, "sha224"],
  [64, "sha256"],
  [96, "sha384"],
  [128, "sha512"],
]);
const digitsOfAlgorithm = new Map(Array.from(algorithmOfDigits, ([digits, algorithm]) => [algorithm, digits]));
digitsOfAlgorithm.set("blake2b512", 128);

/** By their names in BSD's lines, in comments and in names of files, without what is not a letter or digit. */
const algorithmOfName: ReadonlyMap<string, SumAlgorithm> = new Map([
  ["md5", "md5"],
  ["sha1", "sha1"],
  ["sha224", "sha224"],
  ["sha256", "sha256"],
  ["sha384", "sha384"],
  ["sha512", "sha512"],
  ["sha2224", "sha224"],
  ["sha2256", "sha256"],
  ["sha2384", "sha384"],
  ["sha2512", "sha512"],
  ["blake2b", "blake2b512"],
  ["blake2b512", "blake2b512"],
  ["b2", "blake2b512"],
]);

/** `md5sum` and its kin; with `*` for files that were read as binary. */
const gnuLine = /^(\\?)([0-9A-Fa-f]{32,128})[ \t]+\*?([^ \t*].*)$/;
/** `md5` of BSD, `sha256sum --tag`, `openssl dgst`. */
const bsdLine = /^(\\?)([A-Za-z0-9-]{2,12}) ?\((.+)\) ?= ?([0-9A-Fa-f]{32,128})$/;
const bareLine = /^[0-9A-Fa-f]{32,128}$/;
/** As Gentoo heads the sums of each kind. */
const headingLine = /^# *([A-Za-z0-9-]{2,12}) HASH$/;
/** Longer lines list nothing. */
const lineLimit = 8192;

/**
 * The sums in a text, in GNU's form, BSD's, or only the sum. Other lines are passed over: lists have comments, signatures
 * and news. `kind` is the hash that the name of the file tells, where sums of several are as long.
 */
export function parseSumList(text: string, kind?: SumAlgorithm): readonly ListedSum[] {
  const listed: ListedSum[] = [];
  const bare: ListedSum[] = [];
  let heading = kind;
  for (const whole of text.split("\n")) {
    if (whole.length > lineLimit) continue;
    const line = whole.trimEnd();
    const headed = headingLine.exec(line)?.[1];
    if (headed !== undefined) heading = algorithmNamed(headed);
    const entry = gnuEntry(line, heading) ?? bsdEntry(line);
    if (entry !== undefined) listed.push(entry);
    else if (bareLine.test(line)) bare.push(...sumOf(line, heading));
  }
  const [only] = bare;
  return listed.length === 0 && bare.length === 1 && only !== undefined ? [only] : listed;
}

function gnuEntry(line: string, heading: SumAlgorithm | undefined): ListedSum | undefined {
  const [, escape, digits, name] = gnuLine.exec(line) ?? [];
  if (digits === undefined || name === undefined) return undefined;
  const [sum] = sumOf(digits, heading);
  return sum === undefined ? undefined : { ...sum, name: nameOf(name, escape === "\\") };
}

function bsdEntry(line: string): ListedSum | undefined {
  const [, escape, kind, name, digits] = bsdLine.exec(line) ?? [];
  if (kind === undefined || name === undefined || digits === undefined) return undefined;
  const algorithm = algorithmNamed(kind);
  if (algorithm === undefined || digitsOfAlgorithm.get(algorithm) !== digits.length) return undefined;
  return { algorithm, hex: digits.toLowerCase(), name: nameOf(name, escape === "\\") };
}

function sumOf(digits: string, heading: SumAlgorithm | undefined): readonly ListedSum[] {
  const isHeaded = heading !== undefined && digitsOfAlgorithm.get(heading) === digits.length;
  const algorithm = isHeaded ? heading : algorithmOfDigits.get(digits.length);
  return algorithm === undefined ? [] : [{ algorithm, hex: digits.toLowerCase() }];
}

/** Names with a backslash or a line break in them are escaped, with a backslash before the sum to say so. */
function nameOf(text: string, isEscaped: boolean): string {
  const name = isEscaped
    ? text.replaceAll(/\\([\\nr])/g, (_, sign: string) => ({ n: "\n", r: "\r" })[sign] ?? "\\")
    : text;
  return name.replace(/^(\.\/+)+/, "");
}

/** The hash of a name such as `SHA-256` or `sha2-256`. */
export function algorithmNamed(name: string): SumAlgorithm | undefined {
  return algorithmOfName.get(name.toLowerCase().replaceAll(/[^a-z0-9]/g, ""));
}
