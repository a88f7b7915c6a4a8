import type { Duplex } from "node:stream";
import { Failure } from "../../base/index.ts";

/** An answer of the QEMU Machine Protocol is short; only an image comes as a file. */
const lineLimit = 1024 * 1024;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Tells a running QEMU what to do: JSON lines, one answer for each command, in their order (QEMU's qmp-spec). */
export class QmpClient {
  readonly #stream: Duplex;
  readonly #waiting: Waiting[] = [];
  #text = "";
  #isClosed = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => this.#receive(text));
    stream.on("error", () => this.#close());
    stream.on("close", () => this.#close());
    this.execute("qmp_capabilities").catch(() => undefined); // whoever asks for something hears that it is gone
  }

  /** Runs a command and gives what it returns. Throws `failed` where QEMU refuses, or has ended. */
  execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(ended());
        return;
      }
      this.#waiting.push({ resolve, reject });
      this.#stream.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    });
  }

  #receive(text: string): void {
    this.#text += text;
    const lines = this.#text.split("\n");
    this.#text = lines.pop() ?? "";
    if (this.#text.length > lineLimit) this.#stream.destroy();
    for (const line of lines) if (line.trim() !== "") this.#answer(JSON.parse(line) as Record<string, unknown>);
  }

  /** Greetings and events wait for nobody. */
  #answer(message: Readonly<Record<string, unknown>>): void {
    if ("return" in message) this.#waiting.shift()?.resolve(message["return"]);
    const { error } = message as { readonly error?: { readonly desc?: string } };
    if (error === undefined) return;
    this.#waiting.shift()?.reject(new Failure("failed", `cannot tell QEMU what to do: ${error.desc ?? "it refuses"}`));
  }

  #close(): void {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(ended());
  }
}

function ended(): Failure {
  return new Failure("failed", "cannot tell QEMU what to do: it has ended");
}
