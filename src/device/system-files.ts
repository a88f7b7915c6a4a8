import * as fs from "node:fs";
import * as path from "node:path";

/** Small files of the kernel's, under a root. What is not there, or may not be read, is undefined. */
export interface SystemFiles {
  /** The text of a file without the spaces around it. */
  text(name: string): string | undefined;
  /** The text in a page of a SCSI device's product data, which has four bytes in front (SPC-4 §7.8.15). */
  pageText(name: string): string | undefined;
  names(folder: string): readonly string[];
  exists(name: string): boolean;
  /** Where links lead, as a name under the same root. */
  real(name: string): string | undefined;
}

const pageHeaderBytes = 4;

export function filesIn(root: string): SystemFiles {
  const at = (name: string): string => path.join(root, name);
  const bytesOf = (name: string): Buffer | undefined => orUndefined(() => fs.readFileSync(at(name)));
  const realRoot = orUndefined(() => fs.realpathSync(root)) ?? root;
  return {
    text: (name) => bytesOf(name)?.toString("utf8").trim(),
    pageText: (name) => bytesOf(name)?.subarray(pageHeaderBytes).toString("latin1").trim(),
    names: (folder) => orUndefined(() => fs.readdirSync(at(folder))) ?? [],
    exists: (name) => fs.existsSync(at(name)),
    real(name) {
      const real = orUndefined(() => fs.realpathSync(at(name)));
      return real === undefined ? undefined : path.relative(realRoot, real);
    },
  };
}

function orUndefined<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined; // nothing is known then, and whoever asks refuses where that matters
  }
}
