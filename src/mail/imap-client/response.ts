import { Failure } from "../../base/index.ts";
import type { ByteReader, Sink } from "../client/index.ts";
import { lineLimitBytes } from "../client/index.ts";

/** One response of a server: a line, with what is in its literals put in as quoted strings. */
export interface ImapResponse {
  readonly text: string;
  /** Bytes of `BODY[]` that went to the sink; absent where the response had none. */
  readonly bodyBytes?: number;
}

/** A response has so many literals at most: attributes of a message, not messages. */
const literalsLimit = 100;
const bodyBefore = /BODY\[\] ~?\{\d+\}$/i;
const literal = /~?\{(\d{1,15})\+?\}$/;

/**
 * Reads one response (RFC 9051 §9 response-data). The content of a message goes, as it comes, to the sink that
 * `sinkFor` gives for what stands before it.
 */
export async function readResponse(
  reader: ByteReader,
  peer: string,
  sinkFor: (textBefore: string) => Sink,
): Promise<ImapResponse> {
  let text = "";
  let bodyBytes: number | undefined;
  for (let literals = 0; ; literals += 1) {
    text += await reader.line();
    if (text.length > lineLimitBytes * 2 || literals > literalsLimit) throw nonsense(peer, "a response without end");
    const [whole = "", digits] = literal.exec(text) ?? [];
    if (digits === undefined) return { text, ...(bodyBytes === undefined ? {} : { bodyBytes }) };
    const length = Number(digits);
    if (bodyBefore.test(text)) {
      if (bodyBytes !== undefined) throw nonsense(peer, "two messages in one answer");
      await reader.bytes(length, sinkFor(text));
      bodyBytes = length;
      text = `${text.slice(0, -whole.length)}""`;
    } else {
      if (length > lineLimitBytes) throw nonsense(peer, `${length} bytes where a word was expected`);
      const parts: Buffer[] = [];
      await reader.bytes(length, (bytes) => void parts.push(Buffer.from(bytes)));
      const word = Buffer.concat(parts).toString("latin1").replaceAll(/["\\]/g, "\\$&");
      text = `${text.slice(0, -whole.length)}"${word}"`;
    }
  }
}

export function nonsense(peer: string, what: string): Failure {
  const shown = what.slice(0, 200).replaceAll(/[^ -~]/g, "?");
  return new Failure("damaged", `cannot understand ${peer}: it answers not as IMAP has it: ${shown}`);
}
