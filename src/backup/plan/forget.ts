import { Failure, stopIfAborted, type JobOptions } from "../../base/index.ts";
import { isInUse } from "../backup-use.ts";
import { deletionFile } from "../marks.ts";
import { nameIn, pathIn, unfinishedEnding, type BackupStore } from "../store/index.ts";
import type { KeepRules } from "./plan.ts";
import { keptOf, type BackupTime, type KeptBy } from "./retention.ts";
import { savedEntries, type SavedEntry } from "./saved-series.ts";

export interface ForgetRequest {
  readonly rules: KeepRules;
  /** Only backups whose names have this behind their date, all of them as one series. */
  readonly label?: string;
  /** And of these only those that were made by such a command. */
  readonly madeBy?: RegExp;
  /** A backup that is not there yet, and counts as if it were. */
  readonly expected?: BackupTime;
}

/** What is kept and what goes, before anything is done. */
export interface ForgetPlan {
  readonly kept: readonly KeptEntry[];
  readonly forgotten: readonly SavedEntry[];
  /** They count for nothing, and stay: a person has to look at them. */
  readonly damaged: readonly SavedEntry[];
}

export interface KeptEntry extends SavedEntry {
  /** Empty of the newest where no rule keeps any. */
  readonly by: readonly KeptBy[];
}

export interface Forgotten {
  readonly forgotten: readonly string[];
  /** What should have gone, and did not. */
  readonly left: readonly { readonly name: string; readonly why: string }[];
}

/** Backups that are being deleted are called so: no longer by their own name, and with the ending of what is not whole. */
export const forgottenEnding = `.forgotten${unfinishedEnding}`;

/** Applies rules to each series of backups by itself. The newest good backup of a series is never among those that go. */
export async function planForgetting(store: BackupStore, request: ForgetRequest): Promise<ForgetPlan> {
  const { label, madeBy } = request;
  const all = (await savedEntries(store)).filter((entry) => {
    return (label === undefined || entry.label === label) && (madeBy === undefined || madeBy.test(entry.command));
  });
  const damaged = all.filter((entry) => entry.damage !== undefined);
  const good = all.filter((entry) => entry.damage === undefined);
  const series = Map.groupBy(good, (entry) => (label === undefined ? entry.series : ""));
  const kept: KeptEntry[] = [];
  for (const entries of series.values()) {
    for (const [entry, by] of keptIn(entries, request)) kept.push({ ...entry, by });
  }
  const names = new Set(kept.map(({ name }) => name));
  return { kept, forgotten: good.filter(({ name }) => !names.has(name)), damaged };
}

function keptIn(entries: readonly SavedEntry[], { rules, expected }: ForgetRequest) {
  if (expected === undefined) return keptOf(entries, rules);
  const coming = { name: "", label: "", series: "", command: "", time: expected };
  return new Map([...keptOf([...entries, coming], rules)].filter(([entry]) => entry !== coming));
}

/** Deletes what a plan says, and what an earlier run had begun to delete. A backup that is being read stays. */
export async function applyForgetting(
  store: BackupStore,
  { forgotten }: Pick<ForgetPlan, "forgotten">,
  { signal }: JobOptions = {},
): Promise<Forgotten> {
  await finishEarlier(store);
  const done: string[] = [];
  const left: { name: string; why: string }[] = [];
  for (const { name } of forgotten) {
    stopIfAborted(signal);
    const why = await forget(store, name);
    if (why === undefined) done.push(name);
    else left.push({ name, why });
  }
  return { forgotten: done, left };
}

async function finishEarlier(store: BackupStore): Promise<void> {
  for (const { name, kind } of await store.list("")) {
    if (kind !== "folder") continue;
    const isBegun = name.endsWith(forgottenEnding) || (await store.find(pathIn(name, deletionFile))) !== undefined;
    if (isBegun) await removeMarkLast(store, name);
  }
}

/** Undefined once it is gone. Interrupted at any moment, what is left does not look like a backup. */
async function forget(store: BackupStore, name: string): Promise<string | undefined> {
  if (isInUse(nameIn(store, name))) return "it is being read";
  try {
    await removeMarkLast(store, await unmake(store, name));
    return undefined;
  } catch (error) {
    if (error instanceof Failure && error.code !== "interrupted") return error.message;
    throw error;
  }
}

/** Makes a backup look like none, at one stroke; gives what the folder is called from then on. */
async function unmake(store: BackupStore, name: string): Promise<string> {
  try {
    await store.rename(name, name + forgottenEnding);
    return name + forgottenEnding;
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "unsupported") throw error;
    await store.put(pathIn(name, deletionFile), Buffer.from("\n"));
    return name;
  }
}

/** As long as something is left, that says what it is. */
async function removeMarkLast(store: BackupStore, folder: string): Promise<void> {
  const files = (await store.list(folder)).map(({ name }) => name);
  if (files.includes(deletionFile)) {
    for (const name of files.filter((one) => one !== deletionFile)) await store.remove(pathIn(folder, name));
  }
  await store.remove(folder);
}
