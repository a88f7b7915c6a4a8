import { Failure } from "../base/index.ts";

/** https://reproducible-builds.org/specs/source-date-epoch/ */
export function sourceDateEpochIn(env: NodeJS.ProcessEnv): { readonly sourceDateEpoch?: number } {
  const text = env["SOURCE_DATE_EPOCH"] ?? "";
  if (text === "") return {};
  const seconds = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(seconds)) return { sourceDateEpoch: seconds };
  throw new Failure("usage", `cannot use SOURCE_DATE_EPOCH="${text}": it is not a number of seconds since 1970`);
}
