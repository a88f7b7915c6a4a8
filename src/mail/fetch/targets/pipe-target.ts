import { spawn } from "node:child_process";
import { Failure, systemReason } from "../../../base/index.ts";
import type { Account } from "../account.ts";
import type { FetchedMessage } from "../fetched-message.ts";
import type { Ledger } from "../intent.ts";
import type { FetchTarget, Undelivered } from "./target.ts";

interface PipeOptions {
  readonly command: string;
  readonly lineEnds: Account["lineEnds"];
  readonly env: NodeJS.ProcessEnv;
}

const saidLimit = 2000;
const lineFeed = 10;

/** Gives each message to a command, which answers for it with status 0 (fetchmail's `mda`). */
export class PipeTarget implements FetchTarget {
  readonly wantsLf: boolean;
  readonly writesReturnPath = false;
  readonly #options: PipeOptions;

  constructor(options: PipeOptions) {
    this.#options = options;
    this.wantsLf = options.lineEnds === "lf";
  }

  async deliver(messages: readonly FetchedMessage[], ledger: Ledger): Promise<readonly Undelivered[]> {
    const undelivered: Undelivered[] = [];
    for (const message of messages) {
      const said = await this.#run(message);
      if (said === undefined) await ledger.end([message.uid]);
      else undelivered.push({ uid: message.uid, failure: said });
    }
    return undelivered;
  }

  async #run(message: FetchedMessage): Promise<Failure | undefined> {
    const { command, env, lineEnds } = this.#options;
    const words = commandFor(command, message);
    const child = spawn("/bin/sh", ["-c", words], { stdio: ["pipe", "ignore", "pipe"], env });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-saidLimit)));
    child.stdin.on("error", () => undefined); // it need not read everything: its status counts
    const ended = new Promise<string | undefined>((resolve) => {
      child.once("error", (error) => resolve(systemReason(error)));
      child.once("close", (status, signal) => {
        resolve(
          status === 0 ? undefined : signal === null ? `it ended with status ${status}` : `it was ended by ${signal}`,
        );
      });
    });
    let lastByte = lineFeed;
    for (const chunk of message.chunks()) {
      lastByte = chunk[chunk.length - 1] ?? lastByte;
      const bytes = lineEnds === "crlf" ? withReturns(chunk) : chunk;
      if (!child.stdin.write(bytes)) {
        await Promise.race([new Promise((resolve) => void child.stdin.once("drain", resolve)), ended]);
      }
    }
    // A last line without an end would become one with what a program puts behind it.
    child.stdin.end(lastByte === lineFeed ? "" : "\n");
    const reason = await ended;
    if (reason === undefined) return undefined;
    const last = said.trim().split("\n").at(-1) ?? "";
    return new Failure("failed", `cannot give a message to "${words}": ${reason}`, last === "" ? {} : { hint: last });
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** `%T`, `%F` and `%s` become the local user, the sender and the local user, each as one word of the shell; `%%` a percent sign. */
export function commandFor(command: string, { from, recipient }: Pick<FetchedMessage, "from" | "recipient">): string {
  const words: Readonly<Record<string, string>> = { "%T": recipient, "%s": recipient, "%F": from };
  return command.replaceAll(/%[TsF%]/g, (found) => {
    const word = words[found];
    // In single quotes nothing means anything to the shell; quotes in the word itself are left out, as fetchmail does.
    return word === undefined ? "%" : `'${word.replaceAll("'", "")}'`;
  });
}

function withReturns(chunk: Buffer): Buffer {
  return Buffer.from(chunk.toString("latin1").replaceAll(/(?<!\r)\n/g, "\r\n"), "latin1");
}
