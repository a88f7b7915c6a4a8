import { Failure } from "../../base/index.ts";
import type { KeptSpan } from "./plan.ts";

/** `1y2m10d6h`, each part at most once and in this order. Throws a `usage` failure on anything else. */
export function parseKeptSpan(text: string): KeptSpan {
  const [whole = "", years = "0", months = "0", days = "0", hours = "0"] =
    /^(?:(\d{1,4})y)?(?:(\d{1,5})m)?(?:(\d{1,6})d)?(?:(\d{1,7})h)?$/.exec(text) ?? [];
  if (whole === "") {
    throw new Failure("usage", `cannot understand the time "${text}"`, {
      hint: "write years, months, days and hours: 1y6m, 30d, 12h",
    });
  }
  return { years: Number(years), months: Number(months), days: Number(days), hours: Number(hours) };
}

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `90s`, `30m`, `2h`, `7d`, in milliseconds. Throws a `usage` failure on anything else. */
export function parseTimeLimit(text: string): number {
  const [, count = "0", unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const limitMs = Number(count) * (secondsOf[unit] ?? 0) * 1000;
  if (limitMs > 0) return limitMs;
  throw new Failure("usage", `cannot understand the time "${text}"`, { hint: "write 90s, 30m, 2h or 7d" });
}
