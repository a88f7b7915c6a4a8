import { Failure } from "../../base/index.ts";

/** What apt's configuration files say: names in lower case, as apt takes them. */
export interface ConfigurationEntry {
  /** `acquire::http::proxy`; of an element of a list, the name of the list. */
  readonly name: string;
  readonly value: string;
  readonly isElement: boolean;
}

export type ConfigurationStatement =
  | ({ readonly kind: "set" } & ConfigurationEntry)
  | { readonly kind: "clear"; readonly name: string }
  | { readonly kind: "include"; readonly path: string };

type Token = { readonly kind: "word" | "text"; readonly text: string } | { readonly kind: "{" | "}" | ";" };

/** Comments, `#clear` and `#include` aside: a text in quotes, a sign of its own, or a word. */
const tokenPattern =
  /\/\/[^\n]*|\/\*[^]*?\*\/|#(?!clear\b|include\b)[^\n]*|"((?:[^"\\]|\\[^])*)"|[{};]|[^\s"{};]+|\s+/gy;

const nestingLimit = 100;

/** The statements of a file in apt.conf(5)'s syntax. `name` is for errors. */
export function parseConfiguration(text: string, name: string): ConfigurationStatement[] {
  const statements: ConfigurationStatement[] = [];
  const scopes: string[] = [];
  let words: { readonly isText: boolean; readonly text: string }[] = [];
  for (const token of tokens(text, name)) {
    if (token.kind === "word" || token.kind === "text") {
      words.push({ isText: token.kind === "text", text: token.text });
      continue;
    }
    const first = words[0];
    if (token.kind === "{") {
      if (first === undefined || first.isText || scopes.length === nestingLimit) throw misplaced(name, "{");
      const scope = joined(scopes, first.text);
      if (words[1] !== undefined) statements.push({ kind: "set", name: scope, value: words[1].text, isElement: false });
      scopes.push(scope.replace(/::$/, ""));
    } else {
      if (first !== undefined) statements.push(statementOf(words, scopes));
      if (token.kind === "}" && scopes.pop() === undefined) throw misplaced(name, "}");
    }
    words = [];
  }
  if (scopes.length > 0) throw misplaced(name, "{");
  if (words.length > 0) statements.push(statementOf(words, scopes));
  return statements;
}

function statementOf(
  words: readonly { readonly isText: boolean; readonly text: string }[],
  scopes: readonly string[],
): ConfigurationStatement {
  const [first = { isText: true, text: "" }, second] = words;
  if (first.text === "#clear") return { kind: "clear", name: (second?.text ?? "").toLowerCase() };
  if (first.text === "#include") return { kind: "include", path: second?.text ?? "" };
  if (first.isText || second === undefined) {
    return { kind: "set", name: scopes.at(-1) ?? "", value: first.text, isElement: true };
  }
  const name = joined(scopes, first.text);
  return { kind: "set", name: name.replace(/::$/, ""), value: second.text, isElement: name.endsWith("::") };
}

function joined(scopes: readonly string[], name: string): string {
  const scope = scopes.at(-1);
  return (scope === undefined ? name : `${scope}::${name}`).toLowerCase();
}

function* tokens(text: string, name: string): Generator<Token> {
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const match = tokenPattern.exec(text);
    if (match === null) throw new Failure("damaged", `cannot read "${name}": a quote or comment in it has no end`);
    const [whole, quoted] = match;
    const place = tokenPattern.lastIndex;
    if (quoted !== undefined) yield { kind: "text", text: quoted.replaceAll(/\\([^])/g, "$1") };
    else if (whole === "{" || whole === "}" || whole === ";") yield { kind: whole };
    else if (!/^(\s|\/\/|\/\*|#(?!clear|include))/.test(whole)) yield { kind: "word", text: whole };
    tokenPattern.lastIndex = place;
  }
}

function misplaced(name: string, sign: string): Failure {
  return new Failure("damaged", `cannot read "${name}": a "${sign}" in it has no partner or no name`, {
    hint: "apt-config dump tells what apt makes of it",
  });
}
