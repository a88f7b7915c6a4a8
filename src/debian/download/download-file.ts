import type { Failure } from "../../base/index.ts";
import { FetchFailure, shownUrl } from "./fetch-failure.ts";
import { PartFile } from "./part-file.ts";
import { withRetries, type RetrySettings } from "./retry.ts";
import type { Reply, Transport } from "./transport.ts";

/** A file whose content is known beforehand. */
export interface KnownFile {
  readonly url: string;
  readonly sizeBytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

export interface DownloadOptions {
  readonly retry: RetrySettings;
  readonly signal?: AbortSignal | undefined;
  /** Bytes that have come in since the last call; negative where some turned out to be wrong. */
  readonly onBytes?: ((count: number) => void) | undefined;
}

/** Fetches a file whole or not at all; what an earlier run has left of it is not fetched again. */
export async function downloadFile(
  transport: Transport,
  file: KnownFile,
  target: string,
  options: DownloadOptions,
): Promise<void> {
  using part = PartFile.open(target);
  if (part.sizeBytes > file.sizeBytes) part.restart();
  options.onBytes?.(part.sizeBytes);
  // What was left may be of another version of the file: then once more from the front.
  let isResumed = part.sizeBytes > 0;
  await withRetries(options.retry, options.signal, async () => {
    for (;;) {
      if (part.sizeBytes < file.sizeBytes) await continuePart(transport, file, part, options);
      if (part.sizeBytes === file.sizeBytes && part.sha256() === file.sha256) return;
      const wrong = wrongContent(file, part);
      if (part.sizeBytes < file.sizeBytes) throw wrong; // the next try goes on from there
      forget(part, options);
      if (!isResumed) throw wrong;
      isResumed = false;
    }
  });
  part.commit();
}

async function continuePart(
  transport: Transport,
  file: KnownFile,
  part: PartFile,
  options: DownloadOptions,
): Promise<void> {
  const { signal } = options;
  let reply: Reply | undefined;
  try {
    reply = await transport.get(file.url, { fromBytes: part.sizeBytes, signal });
  } catch (error) {
    if (!(error instanceof FetchFailure) || error.status !== 416) throw error;
    forget(part, options);
    reply = await transport.get(file.url, { signal });
  }
  if (reply === undefined) return;
  if (reply.fromBytes !== part.sizeBytes) forget(part, options);
  if (reply.fromBytes !== part.sizeBytes) throw wrongContent(file, part);
  for await (const chunk of reply.chunks) {
    part.append(chunk);
    options.onBytes?.(chunk.length);
    if (part.sizeBytes > file.sizeBytes) return;
  }
}

function forget(part: PartFile, options: DownloadOptions): void {
  options.onBytes?.(-part.sizeBytes);
  part.restart();
}

function wrongContent(file: KnownFile, part: PartFile): Failure {
  const subject = `cannot use "${shownUrl(file.url)}"`;
  const hint = "the mirror may be changing just now, or a proxy keeps an old copy: try again later, or another mirror";
  if (part.sizeBytes < file.sizeBytes) {
    return new FetchFailure("mismatch", `${subject}: it ends after ${part.sizeBytes} bytes, of ${file.sizeBytes}`, {
      hint,
      isPassing: true,
    });
  }
  const why =
    part.sizeBytes > file.sizeBytes ? `it has more than the ${file.sizeBytes} bytes` : "its SHA-256 is not the one";
  return new FetchFailure("mismatch", `${subject}: ${why} that the signed index has for it`, { hint });
}
