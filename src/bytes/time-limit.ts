import { Failure } from "../base/index.ts";

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `90s`, `30m`, `2h`, `7d`, in milliseconds. Throws a `usage` failure on anything else. */
export function parseTimeLimit(text: string): number {
  const [, count = "0", unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const limitMs = Number(count) * (secondsOf[unit] ?? 0) * 1000;
  if (limitMs > 0) return limitMs;
  throw new Failure("usage", `cannot understand the time "${text}"`, { hint: "write 90s, 30m, 2h or 7d" });
}
