/** An archive of three packages, and what comes of fetching them. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { Failure } from "../../src/base/index.ts";
import { fetchPackages, type ChosenPackages, type PackageRequest } from "../../src/debian/index.ts";
import { addSuite, contentOf, machine, type Files, type SuiteOptions, type TestServer } from "./test-archive.ts";

export const packages = [
  { Package: "app", "Pre-Depends": "tool (>= 1.0)", Depends: "lib" },
  { Package: "lib", Version: "1:2.0~rc1" },
  { Package: "tool" },
];
export const appFile = "pool/app_1.0_all.deb";
export const index = "dists/bookworm/main/binary-amd64/Packages.gz";

export function archive(options: Partial<SuiteOptions> = {}): Files {
  const files: Files = new Map();
  addSuite(files, "bookworm", { packages, ...options });
  return files;
}

/** The failure as a user sees it. */
export async function failureOf(request: PackageRequest): Promise<Failure> {
  try {
    await fetchPackages(request);
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    assert.match(error.message, /^cannot /);
    return error;
  }
  throw new assert.AssertionError({ message: "nothing failed" });
}

export async function refused(
  server: TestServer,
  options: { readonly settings?: string; readonly extra?: string } = {},
): Promise<string> {
  await using home = machine(server.url, options);
  const { code, message } = await failureOf(home.request());
  return `${code}: ${message.replaceAll(server.url, "URL/")}`;
}

export function names({ packages: chosen }: ChosenPackages): string {
  return chosen.map(({ name }) => name).join(" ");
}

export function assertWhole({ packages: chosen }: ChosenPackages): void {
  for (const { name, version, file } of chosen) assert.deepEqual(fs.readFileSync(file), contentOf(name, version), name);
}
