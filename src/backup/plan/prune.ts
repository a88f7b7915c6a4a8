import { Failure, stopIfAborted, type JobOptions } from "../../base/index.ts";
import { isInUse } from "../backup-use.ts";
import { parseDataName } from "../clonezilla/index.ts";
import { nameIn, unfinishedEnding, type BackupStore, type StoredItem } from "../store/index.ts";
import { forgottenEnding } from "./forget.ts";

/** What "backup save --resume" goes on by. */
const logName = /^resume(?:-\d+)?\.log(?:\.part)?$/;

export interface PruneRequest {
  /** What was written to since then may still be being written. */
  readonly unchangedSinceMs: number;
  readonly isDryRun: boolean;
}

export interface PrunedFolder {
  readonly name: string;
  readonly sizeBytes: number;
}

export interface Pruned {
  /** Leftovers that are gone; with a dry run, that would be. */
  readonly removed: readonly PrunedFolder[];
  /** Unfinished backups that may still be being written. */
  readonly left: readonly PrunedFolder[];
}

/** Removes what runs that were broken off have left behind: backups half written, backups half deleted. */
export async function pruneStore(
  store: BackupStore,
  { unchangedSinceMs, isDryRun }: PruneRequest,
  { signal }: JobOptions = {},
): Promise<Pruned> {
  const removed: PrunedFolder[] = [];
  const left: PrunedFolder[] = [];
  for (const item of await store.list("")) {
    stopIfAborted(signal);
    if (item.kind !== "folder" || !item.name.endsWith(unfinishedEnding)) continue;
    const inside = await itemsOf(store, item.name);
    if (inside === undefined) continue;
    const folder = { name: item.name, sizeBytes: inside.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
    const changedMs = Math.max(item.modifiedMs, ...inside.map(({ modifiedMs }) => modifiedMs));
    const isOver = item.name.endsWith(forgottenEnding) || changedMs < unchangedSinceMs;
    if (!isOver || inside.some(({ name }) => isInUse(nameIn(store, item.name), name))) {
      left.push(folder);
      continue;
    }
    if (!isDryRun) await store.remove(item.name);
    removed.push(folder);
  }
  return { removed, left };
}

/** What is in an unfinished backup; undefined where a folder is something else that is called like one. */
async function itemsOf(store: BackupStore, name: string): Promise<readonly StoredItem[] | undefined> {
  let items: readonly StoredItem[];
  try {
    items = await store.list(name);
  } catch (error) {
    if (error instanceof Failure && error.code === "not-found") return undefined; // finished meanwhile
    throw error;
  }
  if (items.some(({ kind }) => kind === "folder")) return undefined;
  return items.length === 0 || items.some((item) => isOfBackup(item.name)) ? items : undefined;
}

function isOfBackup(name: string): boolean {
  return logName.test(name) || parseDataName(name.replace(/\.part$/, "")) !== undefined;
}
