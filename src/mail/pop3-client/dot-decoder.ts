const lineFeed = 10;
const carriageReturn = 13;
const dot = 46;

const atLineStart = 0;
const inLine = 1;
const afterDot = 2;
const afterDotReturn = 3;

/**
 * Takes a multi-line answer (RFC 1939 §3) apart as it comes: the dot that was put before another is taken away, and a
 * line with a dot alone is the end. Lines that end in LF alone are taken too.
 */
export class DotDecoder {
  #state = atLineStart;

  /** Decodes into `sink`; how many bytes were taken, and whether the end was among them. */
  decode(bytes: Buffer, sink: (bytes: Buffer) => void): { readonly taken: number; readonly isDone: boolean } {
    let from = 0;
    for (let at = 0; at < bytes.length;) {
      const byte = bytes[at];
      if (this.#state === inLine) {
        // Nothing but the end of a line matters here.
        const end = bytes.indexOf(lineFeed, at);
        if (end < 0) break;
        at = end + 1;
        this.#state = atLineStart;
      } else if (this.#state === atLineStart) {
        if (byte === dot) {
          if (at > from) sink(bytes.subarray(from, at));
          from = at + 1;
          at += 1;
          this.#state = afterDot;
        } else this.#state = inLine;
      } else if (byte === lineFeed) {
        return { taken: at + 1, isDone: true };
      } else if (this.#state === afterDot && byte === carriageReturn) {
        from = at + 1;
        at += 1;
        this.#state = afterDotReturn;
      } else {
        // The dot was put before something; a return that did not end the line belongs to it.
        if (this.#state === afterDotReturn) sink(Buffer.of(carriageReturn));
        from = at;
        this.#state = inLine;
      }
    }
    if (from < bytes.length) sink(bytes.subarray(from));
    return { taken: bytes.length, isDone: false };
  }
}
