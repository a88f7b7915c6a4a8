import { setTimeout } from "node:timers/promises";
import type { ConnectOptions } from "../client/index.ts";
import { ImapClient } from "../imap-client/index.ts";
import type { Account } from "./account.ts";
import { fetchAhead } from "./fetch-ahead.ts";
import type { Spool } from "./spool.ts";
import type { Fetched, Listing, MailSource, RemoteMessage, SpoolOptions } from "./source.ts";

const ahead = { messages: 300, bytes: 8 * 1024 * 1024 };
const oneByOne = { messages: 1, bytes: 0 };
/** So that a command stays short enough for every server. */
const uidsInCommand = 200;
/** RFC 2177: a server may end the session of who is silent for half an hour. */
const idleLimitMs = 9 * 60_000;
const noopEveryMs = 28_000;

/** A mailbox over IMAP. What is deleted is expunged at once. */
export class ImapSource implements MailSource {
  readonly protocol = "IMAP";
  readonly deletesAtOnce = true;
  readonly #client: ImapClient;
  readonly #uidValidity: string;

  private constructor(client: ImapClient, uidValidity: string) {
    this.#client = client;
    this.#uidValidity = uidValidity;
  }

  static async open(account: Account, folder: string, connect: ConnectOptions): Promise<ImapSource> {
    const client = await ImapClient.open(connect);
    try {
      const method = account.auth === "apop" ? "any" : account.auth;
      await client.logIn({ user: account.user, password: account.password ?? "", method });
      const { uidValidity } = await client.select(folder);
      return new ImapSource(client, uidValidity);
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  get address(): string {
    return this.#client.remoteAddress;
  }

  async list(): Promise<Listing> {
    const messages = await this.#client.list();
    const named = messages.map(({ uid, sizeBytes, isSeen }) => ({ uid: String(uid), sizeBytes, isSeen }));
    return { validity: this.#uidValidity, messages: named };
  }

  async *fetch(messages: readonly RemoteMessage[], options: SpoolOptions): AsyncGenerator<Fetched> {
    const retrieve = ({ uid }: RemoteMessage, spool: Spool): Promise<void> => {
      return this.#client.retrieve(Number(uid), spool.write);
    };
    // The first tells whether more may be asked for at a time.
    yield* fetchAhead(messages.slice(0, 1), { ...options, ahead: oneByOne }, retrieve);
    const limits = this.#client.namesFirst ? ahead : oneByOne;
    yield* fetchAhead(messages.slice(1), { ...options, ahead: limits }, retrieve);
  }

  async remove(messages: readonly RemoteMessage[]): Promise<readonly RemoteMessage[]> {
    for (const uids of inCommands(messages)) {
      await Promise.all([this.#client.addFlags(uids, String.raw`\Seen \Deleted`), this.#client.expunge(uids)]);
    }
    return messages;
  }

  async markSeen(messages: readonly RemoteMessage[]): Promise<readonly RemoteMessage[]> {
    for (const uids of inCommands(messages)) await this.#client.addFlags(uids, String.raw`\Seen`);
    return messages;
  }

  finish(): Promise<void> {
    return this.#client.logOut();
  }

  /** Resolves once there may be new messages, or the signal is given. */
  async wait(signal: AbortSignal): Promise<void> {
    const before = this.#client.exists;
    while (this.#client.exists <= before) {
      if (this.#client.has("IDLE")) await this.#client.idle({ limitMs: idleLimitMs, signal });
      else {
        await sleep(noopEveryMs, signal);
        await this.#client.noop();
      }
      if (signal.aborted) return;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]();
  }
}

function inCommands(messages: readonly RemoteMessage[]): readonly (readonly number[])[] {
  const uids = messages.map(({ uid }) => Number(uid));
  return Array.from({ length: Math.ceil(uids.length / uidsInCommand) }, (_, index) => {
    return uids.slice(index * uidsInCommand, (index + 1) * uidsInCommand);
  });
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
}
