import type { SystemTree } from "../system-tree.ts";
import type { UnpackedPackage } from "../unpacked-package.ts";

/** What programs know of the system that is being configured. */
export interface ConfigurationState {
  readonly tree: SystemTree;
  readonly packages: ReadonlyMap<string, UnpackedPackage>;
  /** Answers of debconf, by question. */
  readonly answers: Map<string, string>;
  /** Triggers that a script has pulled. */
  readonly triggered: Set<string>;
  /** What is left for the time after the first boot, a command each: it takes long and nothing waits for it. */
  readonly deferred: Set<string>;
  /** The package whose script runs. */
  current: UnpackedPackage | undefined;
}
