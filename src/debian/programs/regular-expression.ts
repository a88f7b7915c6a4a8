import { Unsupported } from "../shell/index.ts";

const classes: Readonly<Record<string, string>> = {
  alpha: "a-zA-Z",
  alnum: "a-zA-Z0-9",
  digit: "0-9",
  space: "\\s",
  blank: " \\t",
  upper: "A-Z",
  lower: "a-z",
  punct: "!-/:-@\\[-`{-~",
};

/** A regular expression of POSIX (XBD 9) as one of JavaScript. In the basic form what is special needs a backslash. */
export function regularExpression(pattern: string, kind: "basic" | "extended" | "fixed"): string {
  if (kind === "fixed") return pattern.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  let source = "";
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at);
    const next = pattern.charAt(at + 1);
    if (character === "[") {
      const end = pattern.indexOf("]", /^\^?\]/.test(pattern.slice(at + 1)) ? at + 3 : at + 1);
      const inside = insideOf(pattern, at, end);
      source += inside.source;
      at = inside.end;
    } else if (character === "\\") {
      at++;
      if (kind === "basic" && "(){}|+?".includes(next)) source += next;
      else if (kind === "extended" && "(){}|+?".includes(next)) source += `\\${next}`;
      else if (/[bBsSwW1-9]/.test(next)) source += `\\${next}`;
      else if (next === "<" || next === ">") source += "\\b";
      else if (next === "n") source += "\\n";
      else if (next === "t") source += "\\t";
      else source += next.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
    } else if (kind === "basic" && "(){}|+?".includes(character)) source += `\\${character}`;
    else if (character === "*" && (source === "" || source.endsWith("(") || source === "^")) source += "\\*";
    else if (kind === "basic" && character === "^" && source !== "" && !/[(|]$/.test(source)) source += "\\^";
    else if (kind === "basic" && character === "$" && at < pattern.length - 1 && !/^\\[)|]/.test(pattern.slice(at + 1)))
      source += "\\$";
    else source += character === "/" ? "\\/" : character;
  }
  return source;
}

function insideOf(pattern: string, at: number, firstEnd: number): { readonly source: string; readonly end: number } {
  let end = firstEnd;
  // A class such as [:space:] has a bracket of its own.
  for (const found of pattern.slice(at).matchAll(/\[:\w+:\]/g)) {
    const classEnd = at + found.index + found[0].length - 1;
    if (end !== -1 && end <= classEnd && at + found.index < end) end = pattern.indexOf("]", classEnd + 1);
  }
  if (end === -1) throw new Unsupported(`the pattern ${pattern}`);
  const inside = pattern.slice(at + 1, end);
  const isNegated = inside.startsWith("^");
  const body = (isNegated ? inside.slice(1) : inside)
    .replaceAll("\\", "\\\\")
    .replace(/\[:(\w+):\]/g, (_, name: string) => classes[name] ?? "")
    .replaceAll("[", "\\[")
    .replace(/^\]/, "\\]");
  return { source: `[${isNegated ? "^" : ""}${body}]`, end };
}
