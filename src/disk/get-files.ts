import { Failure, type JobOptions } from "../base/index.ts";
import type { Place } from "./place.ts";

/** Where the files go: into a folder of this machine, or as a tar to whoever takes its bytes. */
export type GetTarget =
  | { readonly kind: "folder"; readonly path: string; readonly force: boolean }
  | { readonly kind: "tar"; readonly write: (bytes: Uint8Array) => Promise<void> };

export interface GotFiles {
  readonly fileCount: number;
  /** The bytes of all regular files. */
  readonly totalBytes: number;
  /** What could not be kept, one sentence each: owners, when not run by root. */
  readonly warnings: readonly string[];
}

/** Takes a file, or a folder with all below it, out of an image with everything that is known of them. */
export async function getFiles(place: Place, _target: GetTarget, _options: JobOptions): Promise<GotFiles> {
  throw new Failure("unsupported", `cannot get files from "${place.image}": this is not written yet`);
}
