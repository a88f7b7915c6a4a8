import { styleText } from "node:util";
import { Failure, isSystemError, systemReason } from "../base/index.ts";

/** Formats of `util.styleText`: `bold`, `red`, `dim`. */
export type Format = Parameters<typeof styleText>[0];
/** Colours a text, or leaves it as it is where colour is not wanted. */
export type Style = (format: Format, text: string) => string;

/** Standard output or standard error: text and bytes, written in order, completely. */
export interface Output {
  readonly isTerminal: boolean;
  /** Width of the terminal; 80 where there is none. */
  readonly columns: number;
  readonly style: Style;
  /** Resolves when the reader has kept up. Throws `ClosedPipe` once the reader is gone, a failure where it cannot be written. */
  write(data: string | Uint8Array): Promise<void>;
  /** Resolves once everything written has left this process. */
  flush(): Promise<void>;
}

/** The reader of our output went away, as `head` does when it has seen enough. */
export class ClosedPipe extends Error {
  override readonly name = "ClosedPipe";
}

export const plain: Style = (_, text) => text;

/** As `process.stdout` and `process.stderr` are declared. */
type ProcessStream = NodeJS.WriteStream & { readonly fd: number };

const collectedLimit = 32 * 1024;
const usualColumns = 80;

/** An output over one of the process's own streams. Small texts are collected unless it is a terminal. */
export class StreamOutput implements Output {
  readonly isTerminal: boolean;
  readonly style: Style;
  readonly #stream: ProcessStream;
  #collected: string[] = [];
  #collectedLength = 0;

  constructor(stream: ProcessStream, env: NodeJS.ProcessEnv) {
    this.#stream = stream;
    this.isTerminal = stream.isTTY;
    const isColoured = this.isTerminal && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
    this.style = isColoured ? (format, text) => styleText(format, text, { validateStream: false }) : plain;
    stream.on("error", () => undefined); // every write hears of its own error
  }

  get columns(): number {
    const { columns } = this.#stream; // 0 on a terminal that does not know
    return columns === undefined || columns === 0 ? usualColumns : columns;
  }

  async write(data: string | Uint8Array): Promise<void> {
    if (typeof data !== "string") {
      await this.flush();
      return this.#send(data);
    }
    this.#collected.push(data);
    this.#collectedLength += data.length;
    if (this.isTerminal || this.#collectedLength >= collectedLimit) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#collectedLength === 0) return;
    const text = this.#collected.join("");
    this.#collected = [];
    this.#collectedLength = 0;
    await this.#send(text);
  }

  #send(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(data, (error) => {
        if (error === undefined || error === null) resolve();
        else reject(writeFailure(error, this.#stream));
      });
    });
  }
}

/** A full disk behind a redirection is the user's to know of, not a bug. */
function writeFailure(error: Error, stream: ProcessStream): Error {
  if (isSystemError(error, "EPIPE", "ERR_STREAM_DESTROYED")) return new ClosedPipe();
  const name = stream.fd === 2 ? "standard error" : "standard output";
  const code = isSystemError(error, "ENOSPC", "EDQUOT") ? "no-space" : "failed";
  return new Failure(code, `cannot write to ${name}: ${systemReason(error)}`, { cause: error });
}
