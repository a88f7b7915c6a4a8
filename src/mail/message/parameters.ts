import { messageLimits } from "./limits.ts";
import type { Parameters } from "./structure.ts";
import type { Tokens } from "./tokens.ts";

/** At which a value ends. Less than RFC 2045 §5.1 has: `boundary=a=b` and `name=a[1].txt` are met, and meant. */
const valueEnds = ';"(,';

/**
 * The parameters from here to the end of a field (RFC 2045 §5.1). Pieces of one value are put together (RFC 2231 §3); a
 * value with a charset stays as it is written, under its name with `*`.
 */
export function readParameters(tokens: Tokens): Parameters {
  const all: (readonly [name: string, value: string])[] = [];
  while (!tokens.isAtEnd && all.length < messageLimits.parameters) {
    tokens.skipBlanks();
    if (tokens.skip(";")) continue;
    const start = tokens.at;
    const name = tokens.readUntil(';="(').toLowerCase();
    tokens.skipBlanks();
    if (tokens.skip("=")) {
      tokens.skipBlanks();
      const value = tokens.next === '"' ? tokens.readQuoted() : tokens.readUntil(valueEnds);
      if (name !== "") all.push([name, value]);
    } else if (tokens.at === start) tokens.at++;
  }
  return all.some(([name]) => name.includes("*")) ? joined(all) : all;
}

interface Pieces {
  readonly at: number;
  readonly byNumber: Map<number, { readonly value: string; readonly isEncoded: boolean }>;
}

function joined(all: Parameters): Parameters {
  const result: (readonly [string, string])[] = [];
  const pieces = new Map<string, Pieces>();
  for (const [name, value] of all) {
    const match = /^([^*]+)\*(\d{1,3})(\*?)$/.exec(name);
    if (match === null) {
      result.push([name, value]);
      continue;
    }
    const [, base = "", number = "", star] = match;
    let piece = pieces.get(base);
    if (piece === undefined) {
      piece = { at: result.length, byNumber: new Map() };
      pieces.set(base, piece);
      result.push([base, ""]);
    }
    piece.byNumber.set(Number(number), { value, isEncoded: star === "*" });
  }
  for (const [base, piece] of pieces) result[piece.at] = join(base, piece);
  return result;
}

/** Pieces are counted from 0 and may come in any order; what comes after a gap is left out. */
function join(base: string, { byNumber }: Pieces): readonly [string, string] {
  const inOrder = [];
  for (let n = 0; ; n++) {
    const piece = byNumber.get(n);
    if (piece === undefined) break;
    inOrder.push(piece);
  }
  if (!inOrder.some((piece) => piece.isEncoded)) return [base, inOrder.map((piece) => piece.value).join("")];
  const encoded = inOrder.map((piece) =>
    piece.isEncoded ? piece.value : encodeURIComponent(piece.value.toWellFormed()),
  );
  // Charset and language stand before the first piece only, and only where that is encoded.
  return [`${base}*`, `${inOrder[0]?.isEncoded === true ? "" : "utf-8''"}${encoded.join("")}`];
}
