import { finished, type Writable } from "node:stream";
import type { ImapLimits } from "../limits.ts";

// A chunk is what TLS takes at once without much ado; larger contents go by themselves, uncopied.
const chunkBytes = 64 * 1024;

/** The peer is gone, or does not take its answer: the session has nobody to speak to. */
export class PeerGone extends Error {}

/** What is said to a client, gathered into large chunks. */
export class Output {
  /** While a literal goes out in pieces: nothing else may be said. */
  isWithinLiteral = false;
  readonly #limits: Pick<ImapLimits, "waitingOutputBytes" | "stalledMs">;
  #stream: Writable;
  #behind: Writable | undefined;
  #text = "";
  #parts: Uint8Array[] = [];
  #size = 0;

  constructor(stream: Writable, limits: Pick<ImapLimits, "waitingOutputBytes" | "stalledMs">) {
    this.#stream = stream;
    this.#limits = limits;
  }

  /** In UTF-8. */
  write(text: string): void {
    this.#text += text;
    if (this.#text.length >= chunkBytes) this.flush();
  }

  bytes(bytes: Uint8Array): void {
    this.#closeText();
    if (bytes.length >= chunkBytes) {
      this.flush();
      this.#send(bytes);
      return;
    }
    this.#parts.push(bytes);
    this.#size += bytes.length;
    if (this.#size >= chunkBytes) this.flush();
  }

  /** Sends what was gathered. */
  flush(): void {
    this.#closeText();
    if (this.#size === 0) return;
    const parts = this.#parts;
    this.#parts = [];
    this.#size = 0;
    this.#send(parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts));
  }

  get isFull(): boolean {
    return this.#waitingBytes > this.#limits.waitingOutputBytes;
  }

  /** Once there is room for more. Throws `PeerGone` where the peer went, or took nothing for too long. */
  async drained(): Promise<void> {
    while (this.isFull) {
      if (this.#isGone) throw new PeerGone();
      await this.#progress();
    }
    if (this.#isGone) throw new PeerGone();
  }

  /** From here on everything goes through `through` (COMPRESS). */
  continueThrough(through: NodeJS.ReadWriteStream & Writable): void {
    this.flush();
    through.pipe(this.#stream);
    this.#behind = this.#stream;
    this.#stream = through;
  }

  /** Sends the rest and says that nothing more will come; resolves once that is out, or cannot be. */
  async end(): Promise<void> {
    this.flush();
    const last = this.#behind ?? this.#stream;
    if (this.#isGone) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.min(this.#limits.stalledMs, 5000));
    finished(last, { readable: false }, () => resolve());
    this.#stream.end();
    await promise;
    clearTimeout(timer);
  }

  get #waitingBytes(): number {
    return this.#stream.writableLength + (this.#behind?.writableLength ?? 0);
  }

  get #isGone(): boolean {
    return this.#stream.destroyed || (this.#behind?.destroyed ?? false);
  }

  async #progress(): Promise<void> {
    const last = this.#behind ?? this.#stream;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => last.destroy(), this.#limits.stalledMs);
    for (const stream of [last, this.#stream]) stream.on("drain", resolve).on("close", resolve).on("error", resolve);
    await promise;
    clearTimeout(timer);
    for (const stream of [last, this.#stream]) stream.off("drain", resolve).off("close", resolve).off("error", resolve);
  }

  #closeText(): void {
    if (this.#text === "") return;
    const bytes = Buffer.from(this.#text);
    this.#text = "";
    this.#parts.push(bytes);
    this.#size += bytes.length;
  }

  #send(bytes: Uint8Array): void {
    if (!this.#isGone && this.#stream.writable) this.#stream.write(bytes);
  }
}
