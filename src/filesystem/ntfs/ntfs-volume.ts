import type { Problem } from "../file-system.ts";
import type { FoundGeometry } from "./geometry.ts";
import type { NtfsSource } from "./ntfs-source.ts";
import type { NtfsUpcase } from "./upcase.ts";

/** What was found when a volume was opened. */
export interface NtfsVolume {
  readonly source: NtfsSource;
  readonly geometry: FoundGeometry;
  readonly upcase: NtfsUpcase;
  /** What was wrong already. */
  readonly problems: readonly Problem[];
}
