import * as path from "node:path";
import type { Secret } from "./plan.ts";
import type { TomlTable } from "../../bytes/toml/index.ts";

/** Where a secret is: `password_file` or `password_env`. Undefined where neither is there. */
export function readSecretKeys(table: TomlTable, name: string, folder: string): Secret | undefined {
  const file = table.string(`${name}_file`);
  const variable = table.string(`${name}_env`);
  if (file !== undefined && variable !== undefined) {
    return table.complain(`${name}_env`, `there is ${name}_file too: only one can hold`);
  }
  if (file !== undefined) return { file: path.resolve(folder, file) };
  return variable === undefined ? undefined : { variable };
}
