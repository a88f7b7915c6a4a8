import * as os from "node:os";
import { Failure } from "../../../base/index.ts";
import { Refusal } from "../../client/index.ts";
import type { SmtpDestination } from "../account.ts";
import type { FetchedMessage } from "../fetched-message.ts";
import type { Ledger } from "../intent.ts";
import { SmtpClient } from "./smtp-client.ts";
import type { FetchTarget, Undelivered } from "./target.ts";

interface SmtpTargetOptions extends SmtpDestination {
  /** Messages in one connection; 0: all. */
  readonly batchLimit: number;
}

const timeoutMs = 300_000; // RFC 5321 §4.5.3.2: so long may an answer take

/** Gives messages to a mail server, which answers for each. */
export class SmtpTarget implements FetchTarget {
  readonly wantsLf = false;
  readonly writesReturnPath = true;
  readonly #options: SmtpTargetOptions;
  #client: SmtpClient | undefined;
  #sent = 0;

  constructor(options: SmtpTargetOptions) {
    this.#options = options;
  }

  async deliver(messages: readonly FetchedMessage[], ledger: Ledger): Promise<readonly Undelivered[]> {
    const undelivered: Undelivered[] = [];
    for (const message of messages) {
      const { domain, recipient: fixed } = this.#options;
      const name = fixed ?? message.recipient;
      const recipient = name.includes("@") ? name : `${name}@${domain}`;
      const client = await this.#ready();
      try {
        await client.send(message, recipient);
        this.#sent += 1;
        await ledger.end([message.uid]);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        undelivered.push({ uid: message.uid, failure: error });
      }
    }
    return undelivered;
  }

  async #ready(): Promise<SmtpClient> {
    const { batchLimit } = this.#options;
    if (batchLimit > 0 && this.#sent >= batchLimit) await this.#end();
    this.#client ??= await this.#connect();
    return this.#client;
  }

  async #connect(): Promise<SmtpClient> {
    this.#sent = 0;
    const { hosts, kind, login } = this.#options;
    const failures: unknown[] = [];
    for (const host of hosts) {
      try {
        const isLmtp = kind === "lmtp";
        const options = { host, isLmtp, hereName: os.hostname(), timeoutMs };
        return await SmtpClient.open({ ...options, ...(login === undefined ? {} : { login }) });
      } catch (error) {
        failures.push(error);
      }
    }
    const [first] = failures;
    if (!(first instanceof Failure)) throw first;
    throw new Failure("failed", first.message, {
      hint: "without a mail server on this machine, --deliver mbox:/var/mail/NAME or maildir:~/Maildir takes the mail",
      cause: first,
    });
  }

  async #end(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    await client.quit().catch(() => undefined); // every message was answered for
    await client[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end();
  }
}
