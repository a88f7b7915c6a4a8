import * as fs from "node:fs";
import { isSystemError } from "../../base/index.ts";

/** Empty where there is no such file: the lists beside the mail begin so. */
export function textIfThere(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return "";
    throw error;
  }
}
