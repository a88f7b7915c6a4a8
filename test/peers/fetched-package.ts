/** Debian packages that are not installed, for tests that read their files. */
import * as fs from "node:fs";
import * as path from "node:path";
import { Failure } from "../../src/base/index.ts";
import { packageFetcher } from "../../src/disk/making/index.ts";

/** Kept from one run to the next. */
export const cacheFolder = path.join(import.meta.dirname, "../../.cache/tests");

/**
 * The file of a package, fetched where it is not here yet; undefined where it cannot be had. In CI that is a failure of
 * the tests.
 */
export async function fetchedPackage(name: string, architecture: string): Promise<string | undefined> {
  const folder = path.join(cacheFolder, "packages", architecture);
  const files = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  const file = files.find((one) => one.startsWith(`${name}_`) && one.endsWith(".deb"));
  if (file !== undefined) return path.join(folder, file);
  try {
    return await packageFetcher(cacheFolder, {})({ name, architecture });
  } catch (error) {
    if (process.env["CI"] === "true" || !(error instanceof Failure)) throw error;
    return undefined;
  }
}
