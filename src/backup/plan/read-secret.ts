import * as fs from "node:fs";
import { Failure, systemReason } from "../../base/index.ts";
import type { Secret } from "./plan.ts";

const secretLimitBytes = 64 * 1024;

/** A secret, without the end of the line that it stands in. Throws `failed` where there is none. */
export function readSecret(secret: Secret, env: NodeJS.ProcessEnv): string {
  if ("variable" in secret) {
    const value = env[secret.variable] ?? "";
    if (value === "") throw new Failure("failed", `cannot read a secret: the variable ${secret.variable} is not set`);
    return value;
  }
  try {
    if (fs.statSync(secret.file).size > secretLimitBytes) {
      throw new Failure("failed", `cannot read a secret from "${secret.file}": it is too long for one`);
    }
    return fs.readFileSync(secret.file, "utf8").replace(/\r?\n[^]*$/, "");
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("failed", `cannot read a secret from "${secret.file}": ${systemReason(error)}`, { cause: error });
  }
}
