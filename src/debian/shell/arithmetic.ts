import { Unsupported } from "./syntax.ts";

const levels: readonly (readonly string[])[] = [
  ["||"],
  ["&&"],
  ["==", "!="],
  ["<=", ">=", "<", ">"],
  ["+", "-"],
  ["*", "/", "%"],
];

const operations: Readonly<Record<string, (a: number, b: number) => number>> = {
  "||": (a, b) => Number(a !== 0 || b !== 0),
  "&&": (a, b) => Number(a !== 0 && b !== 0),
  "==": (a, b) => Number(a === b),
  "!=": (a, b) => Number(a !== b),
  "<=": (a, b) => Number(a <= b),
  ">=": (a, b) => Number(a >= b),
  "<": (a, b) => Number(a < b),
  ">": (a, b) => Number(a > b),
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => Math.trunc(a / b),
  "%": (a, b) => a % b,
};

/** The value of what stands in `$((…))`, whose expansions are done. */
export function evaluate(expression: string, valueOf: (name: string) => string): number {
  const tokens = expression.match(/0x[\da-f]+|\d+|\w+|\|\||&&|[=!<>]=|[-+*/%<>()!]|\S/gi) ?? [];
  let at = 0;
  const primary = (): number => {
    const token = tokens[at++] ?? "0";
    if (token === "(") {
      const value = level(0);
      at++;
      return value;
    }
    if (token === "-") return -primary();
    if (token === "!") return Number(primary() === 0);
    if (/^0[0-7]+$/.test(token)) return Number.parseInt(token, 8);
    if (/^\d/.test(token)) return Number(token);
    if (/^\w/.test(token)) return Number(valueOf(token) === "" ? 0 : valueOf(token));
    throw new Unsupported(`the arithmetic of ${expression}`);
  };
  const level = (n: number): number => {
    const operators = levels[n];
    if (operators === undefined) return primary();
    let value = level(n + 1);
    for (let token = tokens[at] ?? ""; operators.includes(token); token = tokens[at] ?? "") {
      at++;
      value = operations[token]?.(value, level(n + 1)) ?? 0;
    }
    return value;
  };
  const value = level(0);
  if (at < tokens.length || !Number.isSafeInteger(value)) throw new Unsupported(`the arithmetic of ${expression}`);
  return value;
}
