import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";

/**
 * `npm ci` refuses a lock file that lacks a package for another platform, and npm leaves out those that the
 * registry at hand does not carry. This finds them; `--write` adds them with what their names tell.
 */
interface Lock {
  packages: Record<string, LockedPackage>;
}

interface LockedPackage {
  readonly version?: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface MissingPackage {
  readonly name: string;
  readonly version: string;
  readonly dev: boolean;
}

const libcByAbi: Readonly<Record<string, string>> = {
  gnu: "glibc",
  gnueabihf: "glibc",
  musl: "musl",
  musleabihf: "musl",
};

export function missingFrom(lock: Lock): readonly MissingPackage[] {
  return Object.entries(lock.packages).flatMap(([at, { optionalDependencies = {}, dev = false }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !(`node_modules/${name}` in lock.packages || `${at}/node_modules/${name}` in lock.packages))
      .map(([name, version]) => ({ name, version, dev })),
  );
}

export function completed(lock: Lock): Lock {
  const added = missingFrom(lock).map(({ name, version, dev }): [string, LockedPackage] => {
    const [os = "", cpu = "", abi = ""] = path.posix
      .basename(name)
      .replace(/^binding-/, "")
      .split("-");
    const libc = os === "linux" ? libcByAbi[abi] : undefined;
    const marks = { ...(dev && { dev }), ...(libc !== undefined && { libc: [libc] }), optional: true, os: [os] };
    return [`node_modules/${name}`, { version, cpu: [cpu], ...marks }];
  });
  const entries = [...Object.entries(lock.packages), ...added];
  entries.sort(([a], [b]) => a.localeCompare(b, "en")); // npm's order
  return { ...lock, packages: Object.fromEntries(entries) };
}

if (import.meta.main) {
  const file = path.join(import.meta.dirname, "../package-lock.json");
  const lock = JSON.parse(readFileSync(file, "utf8")) as Lock;
  const missing = missingFrom(lock);
  if (process.argv.includes("--write")) {
    if (missing.length > 0) writeFileSync(file, `${JSON.stringify(completed(lock), null, 2)}\n`);
  } else if (missing.length > 0) {
    for (const { name, version } of missing) console.log(`${name}@${version} is not in package-lock.json`);
    console.log("npm ci would refuse it: npm run lock");
    process.exitCode = 1;
  }
}
