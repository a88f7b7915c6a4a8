import * as fs from "node:fs";
import { Failure, isSystemError, systemReason } from "../../base/index.ts";

/** A file of accounts is never longer. */
const limitBytes = 1024 * 1024;

/** The text of a file in which passwords may be. One that others may read or change is refused, as fetchmail refuses it. */
export function readPrivate(file: string): string {
  refuseOpenFile(file);
  return fs.readFileSync(file, "utf8");
}

/** Throws `refused` for a file that is open to others, or is another's. Pipes and devices are whoever's they are. */
export function refuseOpenFile(file: string): void {
  let stat: fs.Stats;
  try {
    stat = fs.statSync(file);
  } catch (error) {
    const code = isSystemError(error, "ENOENT") ? "not-found" : "failed";
    throw new Failure(code, `cannot read "${file}": ${systemReason(error)}`, {
      cause: error,
      ...(code === "not-found" ? { hint: "--file names another" } : {}),
    });
  }
  if (stat.size > limitBytes)
    throw new Failure("damaged", `cannot read "${file}": it is longer than ${limitBytes} bytes`);
  const own = process.geteuid?.();
  if (own === undefined || !stat.isFile()) return;
  if ((stat.mode & 0o077) !== 0) {
    const mode = (stat.mode & 0o777).toString(8).padStart(4, "0");
    throw new Failure("refused", `cannot use "${file}": its mode is ${mode}, only its owner may read or write it`, {
      hint: `chmod go= ${file}`,
    });
  }
  if (stat.uid !== own)
    throw new Failure("refused", `cannot use "${file}": it belongs to another user, it must be yours`);
}
