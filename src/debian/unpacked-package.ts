import type { Stanza } from "./control/index.ts";

/** A package whose files are in the tree. */
export interface UnpackedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly fields: Stanza;
  /** What came in `control.tar`, by name: scripts, lists, templates. */
  readonly controlFiles: ReadonlyMap<string, Buffer>;
  /** What dpkg's list says: every path, beginning with `/.`. */
  readonly paths: readonly string[];
  readonly conffiles: readonly { readonly path: string; readonly md5: string }[];
  /** How its files in dpkg's folder begin: the name, with the architecture where several can be installed. */
  readonly infoName: string;
  /** It works: its scripts have run, or it has none. */
  isConfigured: boolean;
}
