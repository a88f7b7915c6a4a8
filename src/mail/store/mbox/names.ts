import { Failure } from "../../../base/index.ts";
import { decodeModifiedUtf7, encodeModifiedUtf7 } from "../../modified-utf7.ts";

const fileNameLimitBytes = 200; // dotlocks and journals add to it

/** `INBOX` in any case is INBOX; of others the case counts. */
export function spelledMailbox(name: string): string {
  return name.toUpperCase() === "INBOX" ? "INBOX" : name;
}

/** The path of a mailbox below the root. Throws `refused` for names that cannot be a file. */
export function pathOfMailbox(name: string): string {
  const levels = name.split("/");
  if (!name.isWellFormed() || levels.some(isRefused)) {
    throw new Failure("refused", `cannot use mailbox name "${name}": it cannot be the name of an mbox`, {
      hint: "no level may be empty, begin with a dot, end in .lock or have a control sign, and the first is not inbox",
    });
  }
  return levels.map(encodeModifiedUtf7).join("/");
}

/** The name of a file or folder as a level of a mailbox name; undefined for what is none. */
export function levelOfFile(file: string): string | undefined {
  const level = decodeModifiedUtf7(file);
  return level === undefined || isRefused(level, 1) ? undefined : level;
}

function isRefused(level: string, depth: number): boolean {
  const isReserved = depth === 0 && level.toUpperCase() === "INBOX";
  const isOfPrograms = level.startsWith(".") || level.endsWith(".lock");
  const isLong = Buffer.byteLength(encodeModifiedUtf7(level)) > fileNameLimitBytes;
  return level === "" || isReserved || isOfPrograms || isLong || hasControlSign(level);
}

export function hasControlSign(text: string): boolean {
  return Array.from(text).some((sign) => sign < " " || sign === "\x7f");
}
