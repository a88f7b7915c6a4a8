import * as fs from "node:fs";

const pollMs = 20;
const pieceBytes = 64 * 1024;

/**
 * A file that another process writes to, read as it grows. Between QEMU and its reader stands a file, since QEMU writes
 * bytes singly and drops those that find no room: the socket that Node gives a child is full after some 280 of them,
 * which a busy machine may not read in time.
 */
export class SerialLog implements AsyncIterable<Uint8Array> {
  /** For the other process. */
  readonly fd: number;
  readonly #path: string;
  #isAtEnd = false;

  constructor(path: string) {
    this.#path = path;
    this.fd = fs.openSync(path, "ax", 0o600);
  }

  /** Nothing more will be written. */
  end(): void {
    this.#isAtEnd = true;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    const fd = fs.openSync(this.#path, "r");
    try {
      for (let at = 0, isLast = false; !isLast;) {
        isLast = this.#isAtEnd;
        for (let piece = readAt(fd, at); piece.length > 0; piece = readAt(fd, at)) {
          yield piece;
          at += piece.length;
        }
        if (!isLast) await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
    } finally {
      fs.closeSync(fd);
    }
  }
}

function readAt(fd: number, at: number): Uint8Array {
  const piece = Buffer.allocUnsafe(pieceBytes);
  return piece.subarray(0, fs.readSync(fd, piece, 0, pieceBytes, at));
}
