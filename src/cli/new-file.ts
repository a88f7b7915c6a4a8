import { Failure } from "../base/index.ts";

/** A disk is not written from its beginning to its end, so it cannot go to standard output. */
export function parseNewFile(text: string): string {
  if (text !== "-") return text;
  throw new Failure("usage", `cannot make a disk on standard output: it is not written in order`, {
    hint: "name a file; ./- is a file of that name",
  });
}
