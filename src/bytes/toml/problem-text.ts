import type { TomlProblem } from "./toml-table.ts";

/** A problem in one line. */
export function problemText({ line, key, message }: TomlProblem): string {
  return [...(line === undefined ? [] : [`line ${line}`]), ...(key === "" ? [] : [key]), message].join(": ");
}
