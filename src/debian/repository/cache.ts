import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { isSystemError } from "../../base/index.ts";
import type { AptConfiguration } from "../apt/index.ts";
import { createBeside, writeFailure } from "../download/index.ts";

/** What is kept from run to run, and what apt has on this machine. Nothing in it is trusted: all is checked when used. */
export class Cache {
  readonly #folder: string;
  readonly #aptLists: string;
  readonly #aptArchives: string;

  private constructor(folder: string, configuration: AptConfiguration) {
    this.#folder = folder;
    this.#aptLists = configuration.path("dir::state::lists");
    this.#aptArchives = configuration.path("dir::cache::archives");
  }

  /** Makes its folders, and clears away what runs that were cut off have left long ago. */
  static open(folder: string, configuration: AptConfiguration, nowMs: number): Cache {
    for (const part of ["lists", "packages"].map((name) => path.join(folder, name))) {
      try {
        fs.mkdirSync(part, { recursive: true });
        for (const name of fs.readdirSync(part)) {
          const keptMs = leftoverMs[path.extname(name)];
          if (keptMs !== undefined) removeOlder(path.join(part, name), nowMs - keptMs);
        }
      } catch (error) {
        throw writeFailure(part, error);
      }
    }
    return new Cache(folder, configuration);
  }

  /** Where a file of a suite is kept. */
  listPath(url: string): string {
    return path.join(this.#folder, "lists", listName(url));
  }

  /** Where apt keeps it. */
  aptListPath(url: string): string {
    return path.join(this.#aptLists, listName(url));
  }

  packagePath(name: string, sha256: string): string {
    return path.join(this.#folder, "packages", name.replace(/\.deb$/, `_${sha256.slice(0, 16)}.deb`));
  }

  aptPackagePath(name: string): string {
    return path.join(this.#aptArchives, name);
  }

  /** Puts a file into its place whole. `modified` is HTTP's date of its last change. */
  write(file: string, content: Uint8Array, modified?: string): void {
    try {
      const beside = createBeside(file);
      try {
        fs.writeFileSync(beside.fd, content);
        const modifiedMs = Date.parse(modified ?? "");
        if (!Number.isNaN(modifiedMs)) fs.futimesSync(beside.fd, modifiedMs / 1000, modifiedMs / 1000);
        fs.renameSync(beside.path, file);
      } catch (error) {
        fs.rmSync(beside.path, { force: true });
        throw error;
      } finally {
        fs.closeSync(beside.fd);
      }
    } catch (error) {
      throw writeFailure(file, error);
    }
  }
}

const dayMs = 24 * 60 * 60 * 1000;

/** How long files of runs that were cut off are kept: those that the next run goes on with, and the others. */
const leftoverMs: Readonly<Record<string, number>> = { ".part": 30 * dayMs, ".new": dayMs };

function removeOlder(file: string, timeMs: number): void {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat !== undefined && stat.mtimeMs < timeMs) fs.rmSync(file, { force: true });
}

/** apt's name for what an address holds: without the scheme, `_` for `/`, and the signs that could be mistaken as %xx. */
function listName(url: string): string {
  const rest = url.replace(/^[a-z0-9+.-]+:\/*(?:[^/@]*@)?/i, "");
  return rest
    .replaceAll(/[\\|{}[\]<>"^~_=!@#$%&*\s]/g, (sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, "0")}`)
    .replaceAll("/", "_");
}

/** A file's bytes; undefined where it is not there or not for this user to read. */
export function contentOf(file: string): Buffer | undefined {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "EACCES", "EISDIR")) return undefined;
    throw error;
  }
}

export function isContent(
  content: Uint8Array,
  known: { readonly sizeBytes: number; readonly sha256: string },
): boolean {
  return content.length === known.sizeBytes && crypto.hash("sha256", content, "hex") === known.sha256;
}
