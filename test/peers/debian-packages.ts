/** Packages of Debian for tests, fetched once from where this machine's apt gets its own. */
import * as fs from "node:fs";
import * as path from "node:path";

/** Where they are kept, for whoever runs the tests. */
const archiveCache = path.join(import.meta.dirname, "../../.cache/test-archive");

/** The cache for packages, which anyone may write to. */
export function sharedArchiveCache(): string {
  fs.mkdirSync(archiveCache, { recursive: true, mode: 0o777 });
  fs.chmodSync(archiveCache, 0o777);
  return archiveCache;
}
