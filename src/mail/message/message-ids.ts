import { messageLimits } from "./limits.ts";
import { Tokens } from "./tokens.ts";

/**
 * The Message-IDs in a field, without angles, in one spelling (RFC 5256 §3: a quoted left side equals the same unquoted).
 * The last ones, where there are too many.
 */
export function messageIdsOf(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const ids: string[] = [];
  const tokens = new Tokens(text);
  while (!tokens.isAtEnd) {
    tokens.skipBlanks();
    if (tokens.skip("<")) {
      const id = readId(tokens);
      if (id !== undefined) ids.push(id);
    } else if (tokens.next === '"') tokens.readQuoted();
    else if (tokens.readUntil('<"(') === "" && !tokens.isAtEnd) tokens.at++;
  }
  return ids.slice(-messageLimits.references);
}

function readId(tokens: Tokens): string | undefined {
  let id = "";
  while (!tokens.isAtEnd && tokens.next !== ">" && tokens.next !== "<") {
    // Blanks come from lines that were folded in the middle of an ID.
    tokens.skipBlanks();
    if (tokens.next === '"') id += tokens.readQuoted();
    else {
      const piece = tokens.readUntil('<>"(');
      if (piece === "" && tokens.next !== "(") break;
      id += piece;
    }
  }
  if (!tokens.skip(">")) return undefined;
  return id.includes("@") ? id : undefined;
}
