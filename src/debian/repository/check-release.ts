import { Failure } from "../../base/index.ts";
import type { AptConfiguration, AptSource } from "../apt/index.ts";
import type { ReleaseFile } from "./release-file.ts";

/** apt's default for Acquire::Max-FutureTime. */
const futureSeconds = 10;

/** Whether the clock of this machine counts for a source (apt: Acquire::Check-Date). */
export function isDateChecked(source: AptSource, configuration: AptConfiguration): boolean {
  return source.checkDate ?? configuration.flag("Acquire::Check-Date") ?? true;
}

/** Throws where a Release file is of another suite than was asked for: a signature alone does not say which. */
export function checkSuite(release: ReleaseFile, source: AptSource, name: string): void {
  const wanted = source.suite.replace(/\/updates$/, "");
  if ([release.codename, release.suite].includes(wanted)) return;
  throw new Failure(
    "mismatch",
    `cannot use "${name}": it is of ${release.codename || "no name"} (${release.suite}), ${source.suite} is needed`,
    { hint: "someone between here and the archive, or the mirror itself, gives out another suite" },
  );
}

/** Why a Release file is too old or too new to be used at this time, as apt's settings have it; undefined where it is not. */
export function timeProblem(
  release: ReleaseFile,
  source: AptSource,
  configuration: AptConfiguration,
  nowMs: number,
): string | undefined {
  const isDateCounted = isDateChecked(source, configuration);
  const toleranceMs = (configuration.count("Acquire::Max-FutureTime") ?? futureSeconds) * 1000;
  if (isDateCounted && release.dateMs > nowMs + toleranceMs) {
    return `its date, ${time(release.dateMs)}, is still to come: the clock of this machine may be wrong`;
  }
  const isExpiryCounted = source.checkValidUntil ?? configuration.flag("Acquire::Check-Valid-Until") ?? true;
  const untilMs = validUntil(release, configuration);
  if (isDateCounted && isExpiryCounted && untilMs !== undefined && untilMs < nowMs) {
    return `it was valid until ${time(untilMs)}: newer packages may be kept from this machine`;
  }
  return undefined;
}

function validUntil(release: ReleaseFile, configuration: AptConfiguration): number | undefined {
  const seconds = (name: string): number | undefined => configuration.count(`Acquire::${name}`) || undefined;
  const most = seconds("Max-ValidTime");
  const least = seconds("Min-ValidTime");
  const latestMs = most === undefined ? Infinity : release.dateMs + most * 1000;
  const untilMs = Math.min(release.validUntilMs ?? Infinity, latestMs);
  if (untilMs === Infinity) return undefined;
  return least === undefined ? untilMs : Math.max(untilMs, release.dateMs + least * 1000);
}

function time(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d+Z$/, "Z");
}
