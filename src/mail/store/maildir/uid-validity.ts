import * as fs from "node:fs";
import * as path from "node:path";
import { isSystemError } from "../../../base/index.ts";

const name = "dovecot-uidvalidity";

/** The next UIDVALIDITY for a new mailbox below this root: never one that was given before, by Dovecot or here. */
export function nextUidValidity(root: string, nowMs: number): number {
  const main = path.join(root, name);
  for (;;) {
    const given = fs.readdirSync(root).flatMap((file) => {
      const [, digits] = /^dovecot-uidvalidity\.([0-9a-f]{8})$/.exec(file) ?? [];
      return digits === undefined ? [] : Number.parseInt(digits, 16);
    });
    const last = Math.max(0, ...given, readHex(main));
    const next = last === 0 ? Math.floor(nowMs / 1000) : last + 1;
    const mark = (value: number): string => `${main}.${value.toString(16).padStart(8, "0")}`;
    // Whoever renames the mark has the number; it is not there for anybody else.
    if (given.includes(last) ? !renamed(mark(last), mark(next)) : !created(mark(next))) continue;
    fs.writeFileSync(main, next.toString(16).padStart(8, "0"), { mode: 0o600 });
    return next;
  }
}

function renamed(from: string, to: string): boolean {
  try {
    fs.renameSync(from, to);
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}

function created(file: string): boolean {
  try {
    fs.closeSync(fs.openSync(file, "wx", 0o444));
    return true;
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return false;
    throw error;
  }
}

function readHex(file: string): number {
  const text = fs.existsSync(file) ? fs.readFileSync(file, "latin1") : "";
  return /^[0-9a-f]{8}$/.test(text) ? Number.parseInt(text, 16) : 0;
}
