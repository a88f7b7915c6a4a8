import type { SizeChange } from "../filesystem/index.ts";

/** What became, or would become, of each part of a disk. */
export interface ResizedDisk {
  readonly file: SizeChange;
  /** Absent where the file system takes the whole disk. */
  readonly partition?: SizeChange & { readonly number: number };
  readonly fileSystem: SizeChange & { readonly kind: string };
}
