import { execFileSync, type ExecFileSyncOptionsWithStringEncoding } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

/**
 * Real programs on the other end. A test names those that it needs, and runs them:
 *
 *     test("sfdisk agrees", { skip: skipWithout("sfdisk") }, () => {
 *       const dump = runPeer("sfdisk", ["-d", image]);
 *     });
 */

// Debian keeps disk tools where an unprivileged user's PATH does not look.
const searchPath = [...(process.env["PATH"] ?? "").split(path.delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];

/**
 * False where all these are installed, programs by name and files by absolute path; else the reason to skip,
 * which names them. Where `CI` is `true` nothing may be skipped: it throws, and the test file fails.
 */
export function skipWithout(...programsOrFiles: readonly string[]): string | false {
  const missing = programsOrFiles.filter((name) => {
    return path.isAbsolute(name) ? !fs.existsSync(name) : peerPath(name) === undefined;
  });
  if (missing.length === 0) return false;
  const reason = `not installed: ${missing.join(", ")}`;
  if (process.env["CI"] === "true") throw new Error(`peers missing in CI, ${reason}`);
  return reason;
}

/** Where a program is, or undefined. */
export function peerPath(program: string): string | undefined {
  return searchPath.map((folder) => path.join(folder, program)).find(isExecutable);
}

/** What a program prints, in the C locale. Throws, with all that it said, where it exits with another status than 0. */
export function runPeer(
  program: string,
  args: readonly string[],
  options: Partial<ExecFileSyncOptionsWithStringEncoding> = {},
): string {
  return execFileSync(peerPath(program) ?? program, args, {
    encoding: "utf8",
    stdio: "pipe",
    maxBuffer: 256 * 1024 * 1024,
    ...options,
    env: { ...process.env, LC_ALL: "C.UTF-8", PATH: searchPath.join(path.delimiter), ...options.env },
  });
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}
