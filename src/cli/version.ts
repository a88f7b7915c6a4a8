import * as fs from "node:fs";

/** The version in the package's own description, which lies two folders up in `src/` and `dist/` alike. */
export function version(): string {
  const described: unknown = JSON.parse(fs.readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return described !== null && typeof described === "object" && "version" in described
    ? String(described.version)
    : "unknown";
}
