import { parseKeptSpan, type KeepRules } from "../../backup/index.ts";

const count = { kind: "number", value: "N", minimum: 1, maximum: 100_000 } as const;

/** Which backups are kept: the same words as in a plan. */
export const keepOptions = {
  "keep-last": { ...count, help: "keep the newest N" },
  "keep-hourly": { ...count, help: "keep the last of each of the newest N hours that have one" },
  "keep-daily": { ...count, help: "and of the newest N days" },
  "keep-weekly": { ...count, help: "and of N weeks, which begin on Monday" },
  "keep-monthly": { ...count, help: "and of N months" },
  "keep-yearly": { ...count, help: "and of N years" },
  "keep-within": {
    kind: "string",
    value: "TIME",
    parse: parseKeptSpan,
    help: "keep all that are less than this before the newest: 1y6m, 14d, 12h",
  },
} as const;

interface KeepArguments {
  readonly keepLast?: number | undefined;
  readonly keepHourly?: number | undefined;
  readonly keepDaily?: number | undefined;
  readonly keepWeekly?: number | undefined;
  readonly keepMonthly?: number | undefined;
  readonly keepYearly?: number | undefined;
  readonly keepWithin?: KeepRules["within"] | undefined;
}

/** Undefined where none was given. */
export function keepRulesOf(args: KeepArguments): KeepRules | undefined {
  const rules = {
    last: args.keepLast,
    hourly: args.keepHourly,
    daily: args.keepDaily,
    weekly: args.keepWeekly,
    monthly: args.keepMonthly,
    yearly: args.keepYearly,
    within: args.keepWithin,
  };
  const given = Object.entries(rules).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : (Object.fromEntries(given) as KeepRules);
}
