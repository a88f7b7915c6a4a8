import * as fs from "node:fs";
import { Failure, isSystemError, systemReason } from "../../../base/index.ts";
import { parseRc } from "./parse-rc.ts";
import type { RcFile } from "./rc-file.ts";

/** A file of accounts is never longer. */
const limitBytes = 1024 * 1024;

/** Reads a `.fetchmailrc`. One that others may read or change is refused, as fetchmail refuses it. */
export function readRc(file: string): RcFile {
  return parseRc(readPrivate(file), file);
}

/** The text of a file in which passwords may be. */
export function readPrivate(file: string): string {
  let fd: number;
  try {
    fd = fs.openSync(file, "r");
  } catch (error) {
    const code = isSystemError(error, "ENOENT") ? "not-found" : "failed";
    throw new Failure(code, `cannot read "${file}": ${systemReason(error)}`, {
      cause: error,
      ...(code === "not-found" ? { hint: "--file names another" } : {}),
    });
  }
  try {
    const stat = fs.fstatSync(fd);
    if (stat.isFile()) refuseOpen(file, stat);
    if (stat.size > limitBytes)
      throw new Failure("damaged", `cannot read "${file}": it is longer than ${limitBytes} bytes`);
    return fs.readFileSync(fd, "utf8");
  } finally {
    fs.closeSync(fd);
  }
}

function refuseOpen(file: string, { mode, uid }: fs.Stats): void {
  const own = process.getuid?.();
  if (own === undefined) return; // no such permissions on this system
  if ((mode & 0o077) !== 0) {
    const is = (mode & 0o777).toString(8).padStart(4, "0");
    throw new Failure("refused", `cannot use "${file}": its mode is ${is}, none but its owner may read or write it`, {
      hint: `chmod 0700 or less: chmod go= ${file}`,
    });
  }
  if (uid !== own) throw new Failure("refused", `cannot use "${file}": it belongs to another user, it must be yours`);
}
