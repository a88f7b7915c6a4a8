import * as fs from "node:fs";
import { toFile, wireBytes } from "../line-ends.ts";
import type { Appended, NewMessage } from "../mail-store.ts";
import { noteAppend } from "./append-together.ts";
import { recordAdded } from "./changes.ts";
import { formatFileName, lettersWithFlags } from "./file-name.ts";
import type { MaildirAccess } from "./maildir-access.ts";
import type { MaildirMailbox } from "./maildir-mailbox.ts";
import { ToSync } from "./synced.ts";

interface WrittenFile {
  readonly path: string;
  readonly base: string;
  readonly flags: readonly string[];
}

/** They are on disk in `tmp` before the first gets its place; then all of them appear, or none. */
export async function appendMessages(
  access: MaildirAccess,
  mailbox: MaildirMailbox,
  messages: readonly NewMessage[],
): Promise<Appended> {
  using toSync = new ToSync();
  const made: string[] = [];
  const written: WrittenFile[] = [];
  try {
    const note = access.act(() => {
      for (const message of messages) {
        const file = namedFile(access, mailbox, message);
        made.push(file.path);
        writeMessage(file.path, message, mailbox.fileMode, toSync);
        written.push(file);
      }
      if (messages.length < 2) return undefined;
      const bases = written.map(({ base }) => base);
      const path = noteAppend(mailbox.path, bases, toSync);
      made.push(path);
      return path;
    });
    await toSync.done();
    const uids = await access.locked(mailbox, () => {
      const given = takeIn(mailbox, written, toSync);
      if (note !== undefined) {
        fs.rmSync(note);
        toSync.folder(`${mailbox.path}/tmp`);
      }
      return given;
    });
    await toSync.done();
    return { uidValidity: mailbox.index.uidValidity, uids };
  } catch (error) {
    access.act(() => made.forEach((path) => fs.rmSync(path, { force: true })));
    throw error;
  }
}

function namedFile(access: MaildirAccess, mailbox: MaildirMailbox, { content, flags }: NewMessage): WrittenFile {
  const base = `${access.nextName()},S=${toFile(content).length},W=${wireBytes(content)}`;
  return { path: `${mailbox.path}/tmp/${base}`, base, flags };
}

/** A message as a file has it, and with its time; still to be synced. */
export function writeMessage(
  path: string,
  { content, receivedMs }: { readonly content: Uint8Array; readonly receivedMs: number },
  mode: number,
  toSync: ToSync,
): void {
  const fd = fs.openSync(path, "wx", mode);
  toSync.file(fd);
  fs.writeFileSync(fd, toFile(content));
  fs.futimesSync(fd, receivedMs / 1000, receivedMs / 1000);
}

/** Under the lock. */
function takeIn(mailbox: MaildirMailbox, written: readonly WrittenFile[], toSync: ToSync): number[] {
  mailbox.keywords.add(mailbox.keywords.missing(written.flatMap(({ flags }) => flags)));
  const added: { readonly name: string }[] = [];
  try {
    return mailbox.ownChange(() => {
      for (const { path, base, flags } of written) {
        const letters = lettersWithFlags("", flags, mailbox.keywords.names);
        const name = formatFileName({ base, letters, rest: "" });
        fs.renameSync(path, `${mailbox.path}/cur/${name}`);
        added.push({ name });
      }
      return recordAdded(mailbox, added, toSync);
    });
  } catch (error) {
    for (const { name } of added) fs.rmSync(`${mailbox.path}/cur/${name}`, { force: true });
    throw error;
  }
}
