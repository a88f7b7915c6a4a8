import type { MessageStructure, MessageSummary } from "../../message/index.ts";
import type { IndexDatabase } from "./index-database.ts";

/** Something that is kept of the content of messages, by what identifies it: copies share it. */
export interface ContentKind<T> {
  known(database: IndexDatabase, emailIds: readonly string[]): ReadonlyMap<string, T>;
  keep(database: IndexDatabase, found: readonly (readonly [emailId: string, value: T])[]): void;
}

/** What headers say. */
export const summaries: ContentKind<MessageSummary> = {
  known(database, emailIds) {
    const sql =
      "SELECT contents.emailId, summary FROM json_each(?) AS wanted JOIN contents ON contents.emailId = wanted.value WHERE summary NOT NULL";
    const rows = database.all(sql, JSON.stringify(emailIds));
    return new Map(rows.map(({ emailId, summary }) => [String(emailId), JSON.parse(String(summary))]));
  },
  keep(database, found) {
    const sql =
      "INSERT INTO contents (emailId, summary) VALUES (?, ?) ON CONFLICT (emailId) DO UPDATE SET summary = excluded.summary";
    database.transaction(() => {
      for (const [emailId, summary] of found) database.run(sql, emailId, JSON.stringify(summary));
    });
  },
};

/** The whole: what headers say, and of which parts it is. */
export const structures: ContentKind<MessageStructure> = {
  known(database, emailIds) {
    const sql =
      "SELECT contents.emailId, summary, parts FROM json_each(?) AS wanted JOIN contents ON contents.emailId = wanted.value WHERE summary NOT NULL AND parts NOT NULL";
    const rows = database.all(sql, JSON.stringify(emailIds));
    return new Map(
      rows.map(({ emailId, summary, parts }) => {
        return [String(emailId), { ...JSON.parse(String(summary)), ...JSON.parse(String(parts)) }];
      }),
    );
  },
  keep(database, found) {
    const sql =
      "INSERT INTO contents (emailId, summary, parts) VALUES (?, ?, ?) ON CONFLICT (emailId) DO UPDATE SET summary = excluded.summary, parts = excluded.parts";
    database.transaction(() => {
      for (const [emailId, { root, preview, ...summary }] of found) {
        database.run(sql, emailId, JSON.stringify(summary), JSON.stringify({ root, preview }));
      }
    });
  },
};

export interface ContentSource<T> {
  readonly database: IndexDatabase;
  readonly kind: ContentKind<T>;
  /** Undefined for a message that is gone. */
  readonly read: (uid: number) => T | undefined;
  /** Runs what touches the index, now or a moment later. */
  readonly act: <R>(work: () => R) => R;
}

/** Of each message what the index has, else what is read of it, which the index then has; what is gone is left out. */
export function throughIndex<T>(
  wanted: readonly { readonly uid: number; readonly emailId: string }[],
  { database, kind, read, act }: ContentSource<T>,
): readonly (readonly [uid: number, value: T])[] {
  const emailIds = wanted.map(({ emailId }) => emailId);
  const known = act(() => kind.known(database, emailIds));
  const added: (readonly [emailId: string, value: T])[] = [];
  const found: (readonly [uid: number, value: T])[] = [];
  for (const { uid, emailId } of wanted) {
    const value = known.get(emailId) ?? read(uid);
    if (value === undefined) continue;
    if (!known.has(emailId)) added.push([emailId, value]);
    found.push([uid, value]);
  }
  if (added.length > 0) database.later(() => act(() => kind.keep(database, added)));
  return found;
}
