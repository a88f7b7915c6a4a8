import { createHash } from "node:crypto";
import * as os from "node:os";
import type { Account } from "./account.ts";
import type { FetchedMessage } from "./fetched-message.ts";
import { readHeader, receivedLine } from "./message-header.ts";
import type { MailSource, RemoteMessage } from "./source.ts";
import type { SpooledMessage } from "./spool.ts";

interface MakingParts {
  readonly account: Account;
  readonly options: { readonly clock: () => number; readonly version: string };
  readonly source: Pick<MailSource, "address" | "protocol">;
  readonly target: { readonly wantsLf: boolean; readonly writesReturnPath: boolean };
  readonly validity: string;
}

const idLength = 20;

/** Makes of what came from a server what is delivered here: fields that go are taken out, a Received line is put in front. */
export class Making {
  readonly #parts: MakingParts;

  constructor(parts: MakingParts) {
    this.#parts = parts;
  }

  make(message: RemoteMessage, spooled: SpooledMessage): FetchedMessage {
    const { account, options, source, target, validity } = this.#parts;
    const receivedMs = options.clock();
    const identity = `${account.name}\0${validity}\0${message.uid}`;
    const id = createHash("sha256").update(identity).digest("hex").slice(0, idLength);
    const { lines, bodyOffset, sender } = readHeader(spooled.head, account.header, target.writesReturnPath);
    const received = account.header.isInvisible
      ? ""
      : receivedLine(
          {
            host: account.host,
            address: source.address,
            hereName: os.hostname(),
            protocol: source.protocol,
            version: options.version,
            id,
            recipient: account.localUser,
            date: new Date(receivedMs),
            ...(account.header.tracesPolls ? { trace: `polling ${account.pollName} account ${account.user}` } : {}),
          },
          target.wantsLf ? "\n" : "\r\n",
        );
    const head = Buffer.concat([Buffer.from(received), lines, spooled.head.subarray(bodyOffset)]);
    return {
      uid: message.uid,
      id,
      from: sender,
      recipient: account.localUser,
      receivedMs,
      sizeBytes: spooled.sizeBytes - spooled.head.length + head.length,
      *chunks() {
        yield head;
        yield* spooled.rest();
      },
    };
  }
}
