import { Failure } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";

/** No path of a tar is longer than this, links included. */
export const pathLimit = 65_536;

const oddComponent = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * The path of an entry, from what the tar says: without `/` and `./` in front, doubled or at the end; `""` is
 * the root. A path with `..` in it could lead out of the tree and is refused.
 */
export function normalTarPath(said: string): string {
  let start = 0;
  let end = said.length;
  while (said.startsWith("./", start)) start += 2;
  while (end > start && said.charCodeAt(end - 1) === 0x2f) end--;
  const path = start === 0 && end === said.length ? said : said.slice(start, end);
  if (path.length > pathLimit) throw new Failure("damaged", `a path has ${path.length} characters`);
  if (path.includes("\0")) throw new Failure("damaged", "a path has a NUL in it");
  return oddComponent.test(path) ? withoutOddComponents(path) : path;
}

function withoutOddComponents(path: string): string {
  const components = path.split("/").filter((component) => component !== "" && component !== ".");
  if (components.includes("..")) {
    throw new Failure("refused", `the path "${printableName(path)}" leads out of the tree`, {
      hint: "a tar with .. in its paths is made by mistake or with bad intent",
    });
  }
  return components.join("/");
}
