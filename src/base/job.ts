import { Failure } from "./failure.ts";

/** How far a long work has come. A plain value: the command line draws it, `--json` prints it. */
export interface Progress {
  /** What is being done now, in a few words: `filling`, `checking`. */
  readonly phase: string;
  readonly doneBytes: number;
  /** Absent where the end is not known, as when reading from a pipe. */
  readonly totalBytes?: number;
  /** How far the phase itself has come, where the work has several. */
  readonly ofPhase?: { readonly doneBytes: number; readonly totalBytes: number };
}

/** What every long work accepts. */
export interface JobOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** Throws the `interrupted` failure once the signal was given. */
export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new Failure("interrupted", "interrupted", { cause: signal.reason });
}
