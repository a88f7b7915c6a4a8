import { Refusal } from "../client/index.ts";
import { sizeLimitOf, type Fetched, type RemoteMessage, type SpoolOptions } from "./source.ts";
import { Spool, type SpooledMessage } from "./spool.ts";

/** What is asked for and has not been taken yet. */
export interface AheadLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** Asks for messages ahead of those that are taken, within limits; gives them in their order. */
export async function* fetchAhead(
  messages: readonly RemoteMessage[],
  options: SpoolOptions & { readonly ahead: AheadLimits },
  retrieve: (message: RemoteMessage, spool: Spool) => Promise<void>,
): AsyncGenerator<Fetched> {
  const asked: { readonly message: RemoteMessage; readonly fetched: Promise<Fetched> }[] = [];
  let askedBytes = 0;
  let next = 0;
  try {
    for (;;) {
      for (let message = messages[next]; message !== undefined; message = messages[next]) {
        const isFull = asked.length >= options.ahead.messages || askedBytes + message.sizeBytes > options.ahead.bytes;
        if (asked.length > 0 && isFull) break;
        const fetched = spooling(message, options, retrieve);
        fetched.catch(() => undefined); // heard of when it is its turn
        asked.push({ message, fetched });
        askedBytes += message.sizeBytes;
        next += 1;
      }
      const first = asked.shift();
      if (first === undefined) return;
      askedBytes -= first.message.sizeBytes;
      yield await first.fetched;
    }
  } finally {
    for (const { fetched } of asked) {
      fetched.then((one) => ("spooled" in one ? one.spooled[Symbol.dispose]() : undefined)).catch(() => undefined);
    }
  }
}

async function spooling(
  message: RemoteMessage,
  { folder, stripsReturns }: SpoolOptions,
  retrieve: (message: RemoteMessage, spool: Spool) => Promise<void>,
): Promise<Fetched> {
  using spool = new Spool({ folder, limitBytes: sizeLimitOf(message), stripsReturns });
  try {
    await retrieve(message, spool);
    const spooled: SpooledMessage = spool.finish();
    return { message, spooled };
  } catch (error) {
    if (error instanceof Refusal) return { message, failure: error };
    throw error;
  }
}
