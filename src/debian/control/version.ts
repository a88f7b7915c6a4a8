/**
 * How two versions of Debian packages compare (deb-version(7)): negative where `a` is the older one, zero where they are
 * equal, positive where it is the newer one.
 */
export function compareVersions(a: string, b: string): number {
  const [first, second] = [partsOf(a), partsOf(b)];
  return (
    first.epoch - second.epoch ||
    compareText(first.upstream, second.upstream) ||
    compareText(first.revision, second.revision)
  );
}

interface VersionParts {
  readonly epoch: number;
  readonly upstream: string;
  readonly revision: string;
}

function partsOf(version: string): VersionParts {
  const colon = version.indexOf(":");
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf("-");
  return {
    epoch: colon < 0 ? 0 : Number(version.slice(0, colon)),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? "" : rest.slice(dash + 1),
  };
}

/** Stretches without digits and numbers in turn: the first compared sign by sign, the second as numbers. */
function compareText(a: string, b: string): number {
  for (let [i, j] = [0, 0]; i < a.length || j < b.length;) {
    while ((i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j))) {
      const difference = rankAt(a, i++) - rankAt(b, j++);
      if (difference !== 0) return difference;
    }
    while (a[i] === "0") i++;
    while (b[j] === "0") j++;
    const [endA, endB] = [endOfDigits(a, i), endOfDigits(b, j)];
    if (endA - i !== endB - j) return endA - i - (endB - j);
    for (; i < endA; i++, j++) {
      const difference = a.charCodeAt(i) - b.charCodeAt(j);
      if (difference !== 0) return difference;
    }
  }
  return 0;
}

/** `~` before the end, the end (and a number in its place) before letters, letters before all else. */
function rankAt(text: string, at: number): number {
  if (at >= text.length || isDigit(text, at)) return 0;
  const code = text.charCodeAt(at);
  if (code === tilde) return -1;
  const isLetter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
  return isLetter ? code : code + 256;
}

const tilde = 0x7e;

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

function endOfDigits(text: string, from: number): number {
  let at = from;
  while (at < text.length && isDigit(text, at)) at++;
  return at;
}

const versionPattern = /^(?:\d{1,9}:)?[A-Za-z0-9.+~:-]+$/;

/** Whether a text has the form of a version at all. */
export function isVersion(text: string): boolean {
  return versionPattern.test(text);
}
