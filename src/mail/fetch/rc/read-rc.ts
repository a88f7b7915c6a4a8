import { readPrivate } from "../private-file.ts";
import { parseRc } from "./parse-rc.ts";
import type { RcFile } from "./rc-file.ts";

/** Reads a `.fetchmailrc`. One that others may read or change is refused. */
export function readRc(file: string): RcFile {
  return parseRc(readPrivate(file), file);
}
