import { Failure } from "../base/index.ts";

const decimal = { "": 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 } as const;
const binary = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40, P: 2 ** 50 } as const;
type Prefix = keyof typeof decimal;

/**
 * Bytes from words: `4GB` is 4·10⁹, `4GiB` and `4G` are 4·2³⁰, a bare number is bytes. A fraction is
 * accepted where it comes to whole bytes. Throws a `usage` failure on anything else.
 */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kKmMgGtTpP]?)(i?[bB])?$/.exec(text.trim());
  if (match === null) throw badSize(text);
  const prefix = (match[2] ?? "").toUpperCase() as Prefix;
  const isDecimal = match[3]?.toUpperCase() === "B" && prefix !== "";
  const sizeBytes = Number(match[1]) * (isDecimal ? decimal[prefix] : binary[prefix]);
  if (!Number.isSafeInteger(sizeBytes)) throw badSize(text);
  return sizeBytes;
}

function badSize(text: string): Failure {
  return new Failure("usage", `cannot understand the size "${text}"`, {
    hint: "write 512MiB, 4GB (10^9), 4GiB (2^30), 4G (as 4GiB) or a number of bytes",
  });
}

/** A size for people, binary, three digits: `3.85 GiB`. */
export function formatSize(sizeBytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit] ?? ""}`;
}
