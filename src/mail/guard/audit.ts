import * as fs from "node:fs";

/** One line of the audit: a word for what happened, and what is known of it. Never a password. */
export type AuditLine = Readonly<Record<string, string | number | undefined>> & { readonly event: string };

export interface AuditOptions {
  /** A file, or `stderr`. */
  readonly to: string;
  readonly clock: () => number;
}

/** Where a line goes for each login and each refusal. */
export interface Audit {
  write(line: AuditLine): void;
}

/** Writes lines as `key=value` words. */
export class AuditFile implements Audit {
  readonly #to: string;
  readonly #clock: () => number;
  #fd: number | undefined;

  constructor({ to, clock }: AuditOptions) {
    this.#to = to;
    this.#clock = clock;
  }

  write(line: AuditLine): void {
    const text = `${auditText({ time: new Date(this.#clock()).toISOString(), ...line })}\n`;
    try {
      this.#fd ??= this.#to === "stderr" ? 2 : fs.openSync(this.#to, "a", 0o640);
      fs.writeSync(this.#fd, text);
    } catch {
      // A full disk must not keep anybody from their mail.
    }
  }

  /** Opens the file anew, after it was rotated. */
  reopen(): void {
    if (this.#fd !== undefined && this.#fd > 2) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }
}

export function auditText(line: AuditLine): string {
  return Object.entries(line)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([key, value]) => `${key}=${auditWord(String(value))}`)
    .join(" ");
}

/** Clients give some of the values: whatever is in them, a line stays one. */
function auditWord(text: string): string {
  return /^[\w.@:/+,-]+$/.test(text)
    ? text
    : JSON.stringify(text.slice(0, valueLimit)).replace(/[^\x20-\x7e]/g, escaped);
}

const valueLimit = 200;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
