import * as fs from "node:fs";
import { isSystemError } from "../../base/index.ts";

/** A new file beside `target`, of this call alone: other processes and calls make theirs at the same time. */
export function createBeside(target: string): { readonly path: string; readonly fd: number } {
  for (let n = 0; ; n++) {
    const path = `${target}.${process.pid}-${n}.new`;
    try {
      return { path, fd: fs.openSync(path, "wx+") };
    } catch (error) {
      if (!isSystemError(error, "EEXIST")) throw error;
    }
  }
}
