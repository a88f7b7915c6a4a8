import { hash } from "node:crypto";
import { isLooping, splitIncoming, tracedMessage, type Trace } from "./trace-header.ts";
import type { MailStore } from "../store/index.ts";
import { Reply, replyTo } from "./replies.ts";

export interface ToDeliver {
  readonly content: Buffer;
  readonly trace: Trace;
}

export interface DeliverOptions {
  readonly openStore: (mailbox: string) => Promise<MailStore>;
  readonly onFailure: (mailbox: string, error: unknown) => void;
}

/** Deliveries of messages that not all of their recipients got, at most. */
const rememberedLimit = 10_000;

/**
 * Puts messages into mailboxes. One that reached some of its recipients and is sent again, since the others could not be
 * reached, does not reach the same ones twice.
 */
export class Deliverer {
  readonly #options: DeliverOptions;
  readonly #done = new Set<string>();

  constructor(options: DeliverOptions) {
    this.#options = options;
  }

  /** For each mailbox why it did not get the message; all that are not named have it on disk. */
  async deliver({ content, trace }: ToDeliver, mailboxes: readonly string[]): Promise<ReadonlyMap<string, Reply>> {
    const incoming = splitIncoming(content);
    const digest = hash("sha256", content);
    const failed = new Map<string, Reply>();
    const reached: string[] = [];
    for (const mailbox of mailboxes) {
      const key = `${digest} ${mailbox}`;
      if (this.#done.has(key)) continue;
      try {
        if (isLooping(incoming, mailbox)) throw new Reply(554, "5.4.6 The message goes in a circle");
        await this.#append(mailbox, tracedMessage(incoming, trace, mailbox), trace.receivedMs);
        reached.push(key);
      } catch (error) {
        this.#options.onFailure(mailbox, error);
        failed.set(mailbox, replyTo(error));
      }
    }
    if ([...failed.values()].some(({ isForNow }) => isForNow)) reached.forEach((key) => this.#remember(key));
    return failed;
  }

  async #append(mailbox: string, content: Buffer, receivedMs: number): Promise<void> {
    await using store = await this.#options.openStore(mailbox);
    await store.append("INBOX", [{ content, flags: [], receivedMs }]);
  }

  #remember(key: string): void {
    this.#done.add(key);
    const [oldest] = this.#done;
    if (this.#done.size > rememberedLimit && oldest !== undefined) this.#done.delete(oldest);
  }
}
