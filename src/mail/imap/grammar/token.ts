/** A piece of a command that is not understood yet: for SEARCH, SORT and THREAD. */
export type Token =
  /** Whatever stands between spaces and parentheses: `UNSEEN`, `1:5,7`, `$`. One character for each byte. */
  | { readonly kind: "atom"; readonly text: string }
  /** Quoted or a literal; undecoded, since CHARSET says how. */
  | { readonly kind: "string"; readonly bytes: Buffer }
  | { readonly kind: "list"; readonly items: readonly Token[] };
