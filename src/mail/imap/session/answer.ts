import { Failure, isSystemError } from "../../../base/index.ts";
import { BadCommand, humanText } from "../grammar/index.ts";

/** The last line of a command's answer. */
export interface Answer {
  readonly status: "OK" | "NO" | "BAD";
  /** RFC 9051 §7.1 response code, without its brackets. */
  readonly code?: string;
  readonly text: string;
  /** Done once the answer is out. */
  readonly afterwards?: () => void;
}

export function ok(text: string, code?: string): Answer {
  return code === undefined ? { status: "OK", text } : { status: "OK", code, text };
}

export function no(text: string, code?: string): Answer {
  return code === undefined ? { status: "NO", text } : { status: "NO", code, text };
}

/** Ends a command with NO. */
export class No extends Error {
  readonly code: string | undefined;

  constructor(text: string, code?: string) {
    super(text);
    this.code = code;
  }
}

const codeOfFailure: Readonly<Partial<Record<Failure["code"], string>>> = {
  "not-found": "NONEXISTENT",
  exists: "ALREADYEXISTS",
  "no-space": "OVERQUOTA",
  refused: "CANNOT",
  unsupported: "CANNOT",
  damaged: "CORRUPTION",
  failed: "UNAVAILABLE",
};

/** What is answered for something thrown; undefined for what is a bug. */
export function answerOf(error: unknown): Answer | undefined {
  if (error instanceof BadCommand) return { status: "BAD", text: humanText(error.message) };
  if (error instanceof No) return no(humanText(error.message), error.code);
  if (error instanceof Failure) return no(humanText(error.message), codeOfFailure[error.code]);
  if (isSystemError(error, "ENOSPC", "EDQUOT")) return no("There is no space left.", "OVERQUOTA");
  if (error instanceof Error && "syscall" in error) return no("The mail cannot be reached now.", "UNAVAILABLE");
  return undefined;
}

export function answerText(tag: string, { status, code, text }: Answer): string {
  return `${tag} ${status} ${code === undefined ? "" : `[${code}] `}${text}\r\n`;
}
