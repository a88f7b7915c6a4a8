/**
 * Several messages that are appended together appear together: what is to appear is written down first, and removed once
 * all have appeared. A note with messages of which some are there is of a run that was stopped: they go.
 */
import * as fs from "node:fs";
import { baseOf } from "./file-name.ts";
import type { ToSync } from "./synced.ts";

const prefix = "holdfast-append.";

/** Written before the messages get their places; the path of the note. */
export function noteAppend(mailbox: string, bases: readonly string[], toSync: ToSync): string {
  const path = `${mailbox}/tmp/${prefix}${bases[0]}`;
  const fd = fs.openSync(path, "wx", 0o600);
  toSync.file(fd);
  fs.writeFileSync(fd, bases.join("\n"));
  toSync.folder(`${mailbox}/tmp`);
  return path;
}

/** Under the lock of the list, so nobody is appending. */
export function undoStoppedAppends(mailbox: string): void {
  const notes = fs.readdirSync(`${mailbox}/tmp`).filter((name) => name.startsWith(prefix));
  for (const note of notes) {
    const path = `${mailbox}/tmp/${note}`;
    const bases = new Set(fs.readFileSync(path, "utf8").split("\n"));
    const there = fs.readdirSync(`${mailbox}/cur`).filter((name) => bases.has(baseOf(name)));
    // None is there yet: whoever has written it waits for the lock, or was stopped before, and `tmp` is cleaned one day.
    if (there.length === 0) continue;
    for (const name of there) fs.rmSync(`${mailbox}/cur/${name}`, { force: true });
    for (const base of bases) fs.rmSync(`${mailbox}/tmp/${base}`, { force: true });
    fs.rmSync(path, { force: true });
  }
}
