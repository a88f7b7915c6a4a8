/** What went wrong, as a closed set: each code has one exit status. */
export type FailureCode =
  | "failed"
  | "not-found"
  | "exists"
  | "no-space"
  | "unsupported"
  | "usage"
  | "damaged"
  | "mismatch"
  | "refused"
  | "interrupted";

const exitStatusOfCode: Readonly<Record<FailureCode, number>> = {
  failed: 1,
  "not-found": 1,
  exists: 1,
  "no-space": 1,
  unsupported: 1,
  usage: 2,
  damaged: 3,
  mismatch: 3,
  refused: 4,
  interrupted: 130,
};

export interface FailureOptions {
  /** What the user can do about it: a sentence without a final full stop. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * Every error that is not a bug. The message reads `cannot <action> "<subject>": <what is>, <what is needed>`.
 */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly hint: string | undefined;

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Failure";
    this.code = code;
    this.hint = options.hint;
  }
}

/** The process exit status for anything that was thrown: a `Failure`'s own, 1 for the rest. */
export function exitStatusOf(error: unknown): number {
  return error instanceof Failure ? exitStatusOfCode[error.code] : 1;
}

/** True for an operating system error with one of these codes, such as `ENOENT`. */
export function isSystemError(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
