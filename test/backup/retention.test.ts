/** Which backups are kept, against a reference that asks of each backup by itself whether it is. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "node:test";
import { keptOf, type BackupTime } from "../../src/backup/plan/retention.ts";
import type { KeepRules } from "../../src/backup/plan/plan.ts";

interface Backup {
  readonly name: string;
  readonly time: BackupTime;
}

function backupAt(text: string): Backup {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = text.split(/\D/).map(Number);
  return { name: text, time: { year, month, day, hour, minute } };
}

function kept(times: readonly string[], rules: KeepRules): string[] {
  return [...keptOf(times.map(backupAt), rules).keys()].map(({ name }) => name).toSorted();
}

const span = { years: 0, months: 0, days: 0, hours: 0 };

/** Whether the day after a day has another name of the period, in words of the calendar that Node has. */
const periodNames: Readonly<Record<Exclude<keyof KeepRules, "last" | "within">, (at: Date) => string>> = {
  hourly: (at) => at.toISOString().slice(0, 13),
  daily: (at) => at.toISOString().slice(0, 10),
  // 1969-12-29 was a Monday.
  weekly: (at) => String(Math.floor((at.getTime() / 86_400_000 + 3) / 7)),
  monthly: (at) => at.toISOString().slice(0, 7),
  yearly: (at) => at.toISOString().slice(0, 4),
};

/** The N newest periods that have a backup; of each the newest backup; the oldest of all where there are fewer than N. */
function reference(dates: readonly Date[], rules: KeepRules): Set<Date> {
  const newestFirst = dates.toSorted((a, b) => b.getTime() - a.getTime());
  const found = new Set<Date>();
  for (const at of newestFirst.slice(0, rules.last ?? 0)) found.add(at);
  for (const [rule, nameOf] of Object.entries(periodNames) as [keyof typeof periodNames, (at: Date) => string][]) {
    const count = rules[rule] ?? 0;
    const names = [...new Set(newestFirst.map(nameOf))];
    for (const name of names.slice(0, count)) found.add(newestFirst.find((at) => nameOf(at) === name)!);
    if (names.length < count) found.add(newestFirst.at(-1)!);
  }
  if (rules.within !== undefined) {
    for (const at of newestFirst) {
      const { years, months, days, hours } = rules.within;
      const since = new Date(newestFirst[0]!);
      since.setUTCFullYear(since.getUTCFullYear() - years, since.getUTCMonth() - months, since.getUTCDate() - days);
      since.setTime(since.getTime() - hours * 3_600_000);
      if (at > since) found.add(at);
    }
  }
  if (found.size === 0) found.add(newestFirst[0]!);
  return found;
}

const minute = fc.integer({ min: 0, max: 3 * 365 * 24 * 60 }).map((minutes) => Date.UTC(2024, 0, 1) + minutes * 60_000);
/** Often close together, so that hours and days have several. */
const instants = fc
  .tuple(minute, fc.uniqueArray(fc.oneof(minute, fc.integer({ min: 0, max: 5000 })), { minLength: 1, maxLength: 40 }))
  .map(([base, all]) => [...new Set(all.map((one) => (one <= 5000 ? base + one * 60_000 : one)))]);
const count = fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined });
const rulesOf = fc
  .record({
    last: count,
    hourly: count,
    daily: count,
    weekly: count,
    monthly: count,
    yearly: count,
    within: fc.option(
      fc.record({
        years: fc.integer({ min: 0, max: 1 }),
        months: fc.integer({ min: 0, max: 13 }),
        days: fc.integer({ min: 0, max: 40 }),
        hours: fc.integer({ min: 0, max: 50 }),
      }),
      { nil: undefined },
    ),
  })
  .map((rules) => Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined)) as KeepRules);

test("as the reference has it, whatever the backups and rules", () => {
  fc.assert(
    fc.property(instants, rulesOf, (all, rules) => {
      const dates = all.map((instant) => new Date(instant));
      const expected = [...reference(dates, rules)].map((at) => at.toISOString().slice(0, 16)).toSorted();
      assert.deepEqual(
        kept(
          dates.map((at) => at.toISOString().slice(0, 16)),
          rules,
        ),
        expected,
      );
    }),
    { numRuns: 300 },
  );
});

test("more rules never keep less, and the newest is never among those that go", () => {
  fc.assert(
    fc.property(instants, rulesOf, rulesOf, (all, rules, more) => {
      const times = all.map((instant) => new Date(instant).toISOString().slice(0, 16));
      const without = kept(times, rules);
      const both = new Set(kept(times, { ...more, ...rules }));
      if (Object.keys(rules).length > 0) assert.ok(without.every((name) => both.has(name)));
      assert.ok(without.length >= 1);
    }),
    { numRuns: 100 },
  );
});

test("the last of each day, and of each week, which begins on Monday", () => {
  const times = [
    "2026-11-30 09:00", // a Monday
    "2026-11-29 23:59",
    "2026-11-29 01:00",
    "2026-11-23 12:00",
    "2026-11-22 12:00",
  ];
  assert.deepEqual(kept(times, { daily: 2 }), ["2026-11-29 23:59", "2026-11-30 09:00"]);
  assert.deepEqual(kept(times, { weekly: 2 }), ["2026-11-29 23:59", "2026-11-30 09:00"]);
  assert.deepEqual(kept(times, { weekly: 3 }), ["2026-11-22 12:00", "2026-11-29 23:59", "2026-11-30 09:00"]);
});

test("the last days of a year may belong to the first week of the next", () => {
  const times = ["2025-12-31 12:00", "2025-12-29 12:00", "2026-01-02 12:00", "2025-12-28 12:00"];
  assert.deepEqual(kept(times, { weekly: 1 }), ["2026-01-02 12:00"]);
  assert.deepEqual(kept(times, { weekly: 2 }), ["2025-12-28 12:00", "2026-01-02 12:00"]);
});

test("within counts from the newest backup, in calendar months, and what is just as old goes", () => {
  const times = ["2026-03-31 12:00", "2026-03-03 12:00", "2026-03-04 11:00", "2026-02-28 12:00"];
  assert.deepEqual(kept(times, { within: { ...span, months: 1 } }), ["2026-03-04 11:00", "2026-03-31 12:00"]);
  assert.deepEqual(kept(times, { within: { ...span, days: 28 } }), ["2026-03-04 11:00", "2026-03-31 12:00"]);
});

test("rules that keep nothing keep the newest", () => {
  assert.deepEqual(kept(["2026-01-01 00:00", "2026-01-02 00:00"], { within: span }), ["2026-01-02 00:00"]);
});
