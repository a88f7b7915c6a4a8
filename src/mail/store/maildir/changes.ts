/** What changes a mailbox. All of it runs in one go; what is to be synced is left to the caller. */
import * as fs from "node:fs";
import { Failure, isSystemError } from "../../../base/index.ts";
import type { MessageRecord } from "../../message-record.ts";
import type { Found } from "../index-db/index.ts";
import type { FlagChange, Flagged } from "../open-mailbox.ts";
import { formatFileName, lettersWithFlags, parseFileName, sizeInName } from "./file-name.ts";
import { baseOfPlace, type MaildirMailbox } from "./maildir-mailbox.ts";
import type { ToSync } from "./synced.ts";
import type { UidListEntry } from "./uid-list.ts";

/** How often a message is looked for that others rename whenever it is to be changed. */
const renameLimit = 20;

/** Tries each, and looks for those that another program has renamed meanwhile; those that are gone are left out. */
function eachWhereItIs(
  mailbox: MaildirMailbox,
  uids: readonly number[],
  work: (uid: number, place: string) => void,
): void {
  let todo = uids;
  for (let tries = 0; todo.length > 0; tries++) {
    if (tries === renameLimit)
      throw new Failure("failed", `cannot change "${mailbox.path}": its files keep being renamed`);
    if (tries > 0) mailbox.look(true);
    todo = todo.filter((uid) => {
      const place = mailbox.index.held.get(uid)?.place;
      if (place === undefined) return false;
      try {
        work(uid, place);
        return false;
      } catch (error) {
        if (isSystemError(error, "ENOENT")) return true;
        throw error;
      }
    });
  }
}

export function changeFlags(mailbox: MaildirMailbox, uids: readonly number[], change: FlagChange): Flagged {
  const changed = new Map<number, { uid: number; place: string; flags: readonly string[] }>();
  const modified: number[] = [];
  const recordOf = (uid: number): MessageRecord | undefined => mailbox.index.held.get(uid)?.record;
  const { names } = mailbox.keywords;
  const work = (uid: number, place: string): void => {
    const record = recordOf(uid);
    if (record === undefined) return;
    if (change.unchangedSince !== undefined && record.modSeq > change.unchangedSince) {
      modified.push(uid);
      return;
    }
    const parsed = parseFileName(place.slice(4));
    const letters = lettersWithFlags(parsed.letters, flagsAfter(record.flags, change), names);
    const target = `cur/${formatFileName({ ...parsed, letters })}`;
    if (target !== place && letters !== parsed.letters) {
      fs.renameSync(`${mailbox.path}/${place}`, `${mailbox.path}/${target}`);
      changed.set(uid, { uid, place: target, flags: mailbox.flagsOf(target) });
    }
  };
  try {
    mailbox.ownChange(() => eachWhereItIs(mailbox, uids, work));
  } finally {
    if (changed.size > 0) mailbox.index.update({ changed: [...changed.values()] });
  }
  const heldBack = new Set(modified);
  return { changed: uids.filter((uid) => !heldBack.has(uid)).flatMap((uid) => recordOf(uid) ?? []), modified };
}

function flagsAfter(before: readonly string[], { mode, flags }: FlagChange): readonly string[] {
  if (mode === "set") return flags;
  if (mode === "add") return [...before, ...flags];
  const removed = new Set(flags.map((flag) => flag.toLowerCase()));
  return before.filter((flag) => !removed.has(flag.toLowerCase()));
}

/** Those among the messages that have `\Deleted` at this moment. */
export function expungeDeleted(mailbox: MaildirMailbox, uids: readonly number[]): readonly number[] {
  const gone: number[] = [];
  const work = (uid: number, place: string): void => {
    if (!mailbox.flagsOf(place).includes("\\Deleted")) return;
    fs.unlinkSync(`${mailbox.path}/${place}`);
    gone.push(uid);
  };
  try {
    mailbox.ownChange(() => eachWhereItIs(mailbox, uids, work));
  } finally {
    if (gone.length > 0) mailbox.index.update({ vanished: gone });
  }
  return gone;
}

export interface Transfer {
  readonly source: MaildirMailbox;
  readonly target: MaildirMailbox;
  readonly uids: readonly number[];
  readonly isMove: boolean;
  readonly nextName: () => string;
}

/** Under the lock of the target's list. Copies are links; all are made, or none. */
export function transferMessages(transfer: Transfer, toSync: ToSync): { sourceUids: number[]; uids: number[] } {
  const { source, target, isMove } = transfer;
  const held = transfer.uids.flatMap((uid) => source.index.held.get(uid) ?? []);
  target.keywords.add(target.keywords.missing([...new Set(held.flatMap(({ record }) => record.flags))]));
  const made: { readonly sourceUid: number; readonly name: string; readonly guid: string }[] = [];
  const work = (uid: number, place: string): void => {
    const name = targetName(transfer, uid, place);
    const [from, to] = [`${source.path}/${place}`, `${target.path}/cur/${name}`];
    if (isMove) moveFile(from, to);
    else linkOrCopy(from, to);
    made.push({ sourceUid: uid, name, guid: source.guidOf(place) });
  };
  const order = new Map(transfer.uids.map((uid, index) => [uid, index]));
  let uids: number[] = [];
  const workThrough = (): void => {
    eachWhereItIs(source, transfer.uids, work);
    made.sort((a, b) => (order.get(a.sourceUid) ?? 0) - (order.get(b.sourceUid) ?? 0));
    uids = recordAdded(target, made, toSync);
  };
  try {
    source.ownChange(() => target.ownChange(workThrough));
  } catch (error) {
    // What was moved is in the target, and gets its UID there at the next look.
    if (!isMove) for (const { name } of made) fs.rmSync(`${target.path}/cur/${name}`, { force: true });
    throw error;
  }
  const sourceUids = made.map(({ sourceUid }) => sourceUid);
  if (isMove && sourceUids.length > 0) {
    source.index.update({ vanished: sourceUids });
    toSync.folder(`${source.path}/cur`);
  }
  return { sourceUids, uids };
}

/** A new name, with the sizes that are known and the flags as the target's letters have them. */
function targetName({ source, target, nextName }: Transfer, uid: number, place: string): string {
  const base = baseOfPlace(place);
  const record = source.index.held.get(uid)?.record;
  const fileBytes = sizeInName(base, "S") ?? fs.statSync(`${source.path}/${place}`).size;
  const letters = lettersWithFlags("", source.flagsOf(place), target.keywords.names);
  return formatFileName({
    base: `${nextName()},S=${fileBytes},W=${record?.sizeBytes ?? fileBytes}`,
    letters,
    rest: "",
  });
}

function moveFile(from: string, to: string): void {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if (!isSystemError(error, "EXDEV")) throw error;
    linkOrCopy(from, to);
    fs.unlinkSync(from);
  }
}

function linkOrCopy(from: string, to: string): void {
  try {
    fs.linkSync(from, to);
  } catch (error) {
    if (!isSystemError(error, "EMLINK", "EPERM", "ENOTSUP", "ENOSYS", "EXDEV")) throw error;
    const { atimeMs, mtimeMs } = fs.statSync(from);
    fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL);
    fs.utimesSync(to, atimeMs / 1000, mtimeMs / 1000);
  }
}

/** Files that were put into `cur` get their UIDs, in that order; under the lock of the list. */
export function recordAdded(
  target: MaildirMailbox,
  added: readonly { readonly name: string; readonly guid?: string }[],
  toSync: ToSync,
): number[] {
  if (added.length === 0) return [];
  const first = Math.max(target.uidList.nextUid, target.index.uidNext);
  const entries = added.map(({ name, guid }, index): UidListEntry => {
    const base = baseOfPlace(`cur/${name}`);
    return { uid: first + index, base, extensions: guid === undefined ? [] : [`G${guid}`] };
  });
  toSync.file(target.uidList.append(entries, target.index.held.size, (base) => target.isAlive(base)));
  toSync.folder(`${target.path}/cur`);
  const appeared = added.flatMap(({ name, guid }, index): Found | [] => {
    return target.found(first + index, `cur/${name}`, guid ?? baseOfPlace(`cur/${name}`)) ?? [];
  });
  target.index.update({ appeared, uidNext: first + added.length });
  return entries.map(({ uid }) => uid);
}
