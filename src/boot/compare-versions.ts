/**
 * Compares versions as the UAPI group's Version Format Specification does: negative where `a` is the older one.
 * `~` makes older than nothing, `-`, `^` and `.` separate in this order, digits count as numbers.
 */
export function compareVersions(a: string, b: string): number {
  let [left, right] = [a, b];
  for (;;) {
    left = left.replace(/^[^A-Za-z0-9~^.-]+/, "");
    right = right.replace(/^[^A-Za-z0-9~^.-]+/, "");
    if (left.startsWith("~") || right.startsWith("~")) {
      if (!left.startsWith("~")) return 1;
      if (!right.startsWith("~")) return -1;
      [left, right] = [left.slice(1), right.slice(1)];
      continue;
    }
    if (left === "" || right === "") return Math.sign(left.length - right.length);
    const separator = ["-", "^", "."].find((one) => left.startsWith(one) || right.startsWith(one));
    if (separator !== undefined) {
      if (!left.startsWith(separator)) return 1;
      if (!right.startsWith(separator)) return -1;
      [left, right] = [left.slice(1), right.slice(1)];
      continue;
    }
    const isNumber = /^\d/.test(left) || /^\d/.test(right);
    const [own, other] = [prefixOf(left, isNumber), prefixOf(right, isNumber)];
    const difference = isNumber ? compareNumbers(own, other) : compareWords(own, other);
    if (difference !== 0) return difference;
    [left, right] = [left.slice(own.length), right.slice(other.length)];
  }
}

function prefixOf(text: string, isNumber: boolean): string {
  return (isNumber ? /^\d*/ : /^[A-Za-z]*/).exec(text)?.[0] ?? "";
}

/** Of any length. No number at all is older than 0. */
function compareNumbers(a: string, b: string): number {
  if (a === "" || b === "") return Math.sign(a.length - b.length);
  const [left, right] = [a.replace(/^0+/, ""), b.replace(/^0+/, "")];
  return Math.sign(left.length - right.length) || compareWords(left, right);
}

/** By the codes of the letters: capital ones come first. */
function compareWords(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
