import type { KeepRules, KeptSpan } from "./plan.ts";

/** When a backup was made, in the local time of where that was, as its name or its notes tell. */
export interface BackupTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

/** Why a backup is kept, in words as the options have them: `last`, `daily`, … */
export type KeptBy = keyof KeepRules;

interface Period {
  readonly rule: Exclude<KeptBy, "within">;
  /** Backups of the same period have the same name for it. */
  readonly nameOf: (time: BackupTime, index: number) => string;
}

const periods: readonly Period[] = [
  { rule: "last", nameOf: (_, index) => String(index) },
  { rule: "hourly", nameOf: ({ year, month, day, hour }) => `${year}-${month}-${day} ${hour}` },
  { rule: "daily", nameOf: ({ year, month, day }) => `${year}-${month}-${day}` },
  { rule: "weekly", nameOf: weekOf },
  { rule: "monthly", nameOf: ({ year, month }) => `${year}-${month}` },
  { rule: "yearly", nameOf: ({ year }) => String(year) },
];

/**
 * Which of some backups are kept, and by which rules, as users of restic know them: of the newest so many hours, days,
 * weeks, … that have a backup, the last of each; and the oldest of all as long as there are fewer. Where the rules
 * would keep none the newest is kept, by no rule.
 */
export function keptOf<T extends { readonly time: BackupTime }>(
  backups: readonly T[],
  rules: KeepRules,
): ReadonlyMap<T, readonly KeptBy[]> {
  const newestFirst = backups.toSorted((a, b) => instantOf(b.time) - instantOf(a.time));
  const kept = new Map<T, KeptBy[]>();
  const keep = (backup: T, rule: KeptBy): void => void kept.set(backup, [...(kept.get(backup) ?? []), rule]);
  for (const { rule, nameOf } of periods) {
    let left = rules[rule] ?? 0;
    let period: string | undefined;
    for (const [index, backup] of newestFirst.entries()) {
      if (left === 0) break;
      const name = nameOf(backup.time, index);
      if (name === period && index < newestFirst.length - 1) continue;
      period = name;
      left--;
      keep(backup, rule);
    }
  }
  const [newest] = newestFirst;
  if (newest === undefined) return kept;
  if (rules.within !== undefined) {
    const since = instantOf(before(newest.time, rules.within));
    for (const backup of newestFirst) if (instantOf(backup.time) > since) keep(backup, "within");
  }
  if (kept.size === 0) kept.set(newest, []);
  return kept;
}

/** Comparable numbers, as if all clocks were the same. */
function instantOf({ year, month, day, hour, minute }: BackupTime): number {
  return Date.UTC(year, month - 1, day, hour, minute);
}

function before({ year, month, day, hour, minute }: BackupTime, span: KeptSpan): BackupTime {
  return timeOf(Date.UTC(year - span.years, month - 1 - span.months, day - span.days, hour - span.hours, minute));
}

function timeOf(instant: number): BackupTime {
  const at = new Date(instant);
  return {
    year: at.getUTCFullYear(),
    month: at.getUTCMonth() + 1,
    day: at.getUTCDate(),
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
  };
}

/** The day of the week's Thursday tells its year and number (ISO 8601 §4.3.5). Weeks begin on Monday. */
function weekOf({ year, month, day }: BackupTime): string {
  const date = new Date(Date.UTC(year, month - 1, day));
  const dayOfWeek = (date.getUTCDay() + 6) % 7;
  const thursday = new Date(Date.UTC(year, month - 1, day - dayOfWeek + 3));
  const firstDay = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const number = Math.floor((thursday.getTime() - firstDay) / (7 * 86_400_000)) + 1;
  return `${thursday.getUTCFullYear()}-W${number}`;
}

/** Reads `2026-11-30 12:05`; undefined where it is no time. */
export function parseBackupTime(text: string): BackupTime | undefined {
  const found = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d)$/.exec(text);
  if (found === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = found.slice(1).map(Number);
  const time = { year, month, day, hour, minute };
  const again = timeOf(instantOf(time));
  return again.month === month && again.day === day && again.hour === hour && again.minute === minute
    ? time
    : undefined;
}
