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
