import * as fs from "node:fs";

/** Nobody writes a message for so long. */
const leftOverMs = 36 * 3600 * 1000;

/** Removes what programs that were stopped have left in `tmp`. */
export function cleanTmp(mailbox: string, nowMs: number): void {
  for (const name of fs.readdirSync(`${mailbox}/tmp`)) {
    const path = `${mailbox}/tmp/${name}`;
    const stat = fs.lstatSync(path, { throwIfNoEntry: false });
    // By the change of the inode: the time of last modification is that of the message.
    if (stat === undefined || nowMs - stat.ctimeMs < leftOverMs) continue;
    if (stat.isFile()) fs.rmSync(path, { force: true });
    else if (stat.isDirectory() && name.startsWith("holdfast-")) fs.rmSync(path, { recursive: true, force: true });
  }
}
