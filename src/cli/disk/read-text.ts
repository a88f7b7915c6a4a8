import * as fs from "node:fs/promises";
import { text } from "node:stream/consumers";
import { Failure, isSystemError, systemReason } from "../../base/index.ts";

/** All of a file as text; `-` is standard input. */
export async function readWholeText(path: string): Promise<string> {
  if (path === "-") return text(process.stdin);
  try {
    return await fs.readFile(path, "utf8");
  } catch (error) {
    const code = isSystemError(error, "ENOENT", "ENOTDIR") ? "not-found" : "failed";
    throw new Failure(code, `cannot read "${path}": ${systemReason(error)}`, { cause: error });
  }
}
