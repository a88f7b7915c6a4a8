import { Failure } from "../../base/index.ts";
import { Refusal, type ConnectOptions } from "../client/index.ts";
import { Pop3Client } from "../pop3-client/index.ts";
import type { Account } from "./account.ts";
import { fetchAhead } from "./fetch-ahead.ts";
import type { Fetched, Listing, MailSource, RemoteMessage, SpoolOptions } from "./source.ts";

const ahead = { messages: 300, bytes: 8 * 1024 * 1024 };
const oneByOne = { messages: 1, bytes: 0 };

/** A mailbox over POP3. What is deleted is gone once the session has ended in order, and not before (RFC 1939 §6). */
export class Pop3Source implements MailSource {
  readonly protocol = "POP3";
  readonly deletesAtOnce = false;
  readonly #client: Pop3Client;
  readonly #numbers = new Map<RemoteMessage, number>();

  private constructor(client: Pop3Client) {
    this.#client = client;
  }

  static async open(account: Account, connect: ConnectOptions): Promise<Pop3Source> {
    const client = await Pop3Client.open(connect);
    try {
      const method = account.auth === "any" ? "password" : account.auth;
      await client.logIn({ user: account.user, password: account.password ?? "", method });
      return new Pop3Source(client);
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  get address(): string {
    return this.#client.remoteAddress;
  }

  async list(): Promise<Listing> {
    const [sizes, uids] = await Promise.all([this.#client.sizes(), this.#uids()]);
    const messages: RemoteMessage[] = [];
    for (const [number, sizeBytes] of sizes) {
      const uid = uids.get(number);
      if (uid === undefined) throw new Failure("damaged", `cannot fetch: the server has no name for message ${number}`);
      const message = { uid, sizeBytes, isSeen: false };
      this.#numbers.set(message, number);
      messages.push(message);
    }
    return { validity: "", messages };
  }

  async #uids(): Promise<ReadonlyMap<number, string>> {
    try {
      return await this.#client.uids();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new Failure("unsupported", "cannot fetch safely: the server has no UIDL, which tells messages apart", {
        cause: error,
      });
    }
  }

  fetch(messages: readonly RemoteMessage[], options: SpoolOptions): AsyncGenerator<Fetched> {
    const limits = this.#client.isPipelining ? ahead : oneByOne;
    return fetchAhead(messages, { ...options, ahead: limits }, (message, spool) => {
      return this.#client.retrieve(this.#numberOf(message), spool.write);
    });
  }

  async remove(messages: readonly RemoteMessage[]): Promise<readonly RemoteMessage[]> {
    const removed = await Promise.all(
      messages.map(async (message) => ((await this.#delete(message)) ? [message] : [])),
    );
    return removed.flat();
  }

  async #delete(message: RemoteMessage): Promise<boolean> {
    try {
      await this.#client.delete(this.#numberOf(message));
      return true;
    } catch (error) {
      if (error instanceof Refusal) return false; // asked for again the next time
      throw error;
    }
  }

  async markSeen(): Promise<readonly RemoteMessage[]> {
    return [];
  }

  wait(): Promise<void> {
    throw new Error("a session of POP3 sees the messages that were there at its beginning");
  }

  finish(): Promise<void> {
    return this.#client.quit();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]();
  }

  #numberOf(message: RemoteMessage): number {
    const number = this.#numbers.get(message);
    if (number === undefined) throw new Error(`"${message.uid}" is not of this session`);
    return number;
  }
}
