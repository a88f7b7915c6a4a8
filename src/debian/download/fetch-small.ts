import { FetchFailure, shownUrl } from "./fetch-failure.ts";
import { withRetries, type RetrySettings } from "./retry.ts";
import type { Transport } from "./transport.ts";

export interface SmallFile {
  readonly content: Uint8Array;
  /** HTTP's date of its last change, where the server tells. */
  readonly modified: string | undefined;
}

/** A file of at most so many bytes, whole in memory. Undefined where it is not newer than `newerThan`. */
export async function fetchSmall(
  transport: Transport,
  url: string,
  options: {
    readonly limitBytes: number;
    readonly retry: RetrySettings;
    readonly newerThan?: string | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<SmallFile | undefined> {
  return withRetries(options.retry, options.signal, async () => {
    const { newerThan, signal } = options;
    const reply = await transport.get(url, {
      signal,
      isFresh: true,
      ...(newerThan === undefined ? {} : { newerThan }),
    });
    if (reply === undefined) return undefined;
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const chunk of reply.chunks) {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes > options.limitBytes) {
        throw new FetchFailure(
          "refused",
          `cannot use "${shownUrl(url)}": it has more than ${options.limitBytes} bytes`,
        );
      }
    }
    return { content: Buffer.concat(chunks), modified: reply.modified };
  });
}
