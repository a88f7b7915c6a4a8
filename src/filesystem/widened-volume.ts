import type { MappedStretch } from "../device/index.ts";

/** A file system as it would be if it were larger: what comes from where in the one that there is, and what is new. */
export interface WidenedVolume {
  readonly sizeBytes: number;
  readonly stretches: readonly MappedStretch[];
  readonly patches: readonly VolumePatch[];
}

export interface VolumePatch {
  readonly at: number;
  readonly bytes: Uint8Array;
}
