import * as fs from "node:fs";

const pieceBytes = 64 * 1024;
const nothing = Buffer.alloc(pieceBytes);

/** A file that holds one image after the other, for programs to look at and to mend. */
export class StateFile {
  readonly path: string;
  #bytes = new Uint8Array(0);

  constructor(path: string) {
    this.path = path;
  }

  /** With holes where there is nothing: most of an image is. */
  write(bytes: Uint8Array): void {
    const fd = fs.openSync(this.path, "w");
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      if (nothing.compare(piece, 0, piece.length, 0, piece.length) !== 0) fs.writeSync(fd, piece, 0, piece.length, at);
    }
    fs.ftruncateSync(fd, bytes.length);
    fs.closeSync(fd);
  }

  /** All of it, which is good until it is read again: new memory for every image would take longer than the rest. */
  read(): Uint8Array {
    const fd = fs.openSync(this.path, "r");
    const { size } = fs.fstatSync(fd);
    if (this.#bytes.length < size) this.#bytes = new Uint8Array(size);
    for (let at = 0; at < size;) at += fs.readSync(fd, this.#bytes, at, size - at, at);
    fs.closeSync(fd);
    return this.#bytes.subarray(0, size);
  }
}
