import { Failure } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import type { NewFile } from "./editable-file-system.ts";

/** What FAT and exFAT, whose name is `fs`, refuse to do, each as its failure. */

const specialBits = 0o7000;

export function refuseKind(fs: string, { kind }: NewFile, name: string): void {
  if (kind === "file" || kind === "directory") return;
  const quoted = printableName(name);
  throw new Failure("unsupported", `cannot make "${quoted}": ${fs} holds files and directories only, no ${kind}`, {
    hint: "leave it out, or use a file system such as ext4",
  });
}

/** `there` is the name of the file that has the wanted one; `isAlias`: as its short name. */
export function nameTaken(fs: string, name: string, there: string, isAlias: boolean): Failure {
  const quoted = printableName(name);
  if (there === name) return new Failure("exists", `cannot make "${quoted}": there is something of that name`);
  const why = isAlias ? "which has that as its short name" : `which is the same name to ${fs}`;
  return new Failure("exists", `cannot make "${quoted}": there is "${printableName(there)}", ${why}`);
}

export function noLinks(fs: string, name: string): Failure {
  return new Failure("unsupported", `cannot link "${printableName(name)}": on ${fs} a file has one name only`);
}

export function missing(name: string): Failure {
  return new Failure("not-found", `cannot find "${printableName(name)}"`);
}

export function notEmpty(name: string): Failure {
  return new Failure("failed", `cannot remove "${printableName(name)}": it is a directory with something in it`);
}

/** Throws where a file would replace a directory, or a directory a file. */
export function refuseOtherKind(name: string, isMovedDirectory: boolean, isReplacedDirectory: boolean): void {
  if (isMovedDirectory === isReplacedDirectory) return;
  const what = isReplacedDirectory ? "a directory" : "not a directory";
  throw new Failure("exists", `cannot replace "${printableName(name)}": it is ${what}`);
}

/** Throws where a directory would go into itself, or below itself. `above`: the directories that it would be in. */
export function refuseOwnChild(id: number, above: Iterable<number>, name: string): void {
  for (const directory of above) {
    if (directory !== id) continue;
    throw new Failure("failed", `cannot move a directory to "${printableName(name)}": that is inside itself`);
  }
}

/** Tells once of what the files of a file system cannot keep. */
export class LossWarning {
  readonly #fs: string;
  #onWarning: ((message: string) => void) | undefined;

  constructor(fs: string, onWarning: ((message: string) => void) | undefined) {
    this.#fs = fs;
    this.#onWarning = onWarning;
  }

  of({ xattrs, mode }: NewFile): void {
    if ((xattrs?.size ?? 0) === 0 && (mode & specialBits) === 0) return;
    this.#onWarning?.(`extended attributes and set-id bits were left out: ${this.#fs} cannot hold them`);
    this.#onWarning = undefined;
  }
}
