import { Failure } from "../base/index.ts";

const headerBlob = 1;
const keyBlob = 2;
const fixedBytes = 16;

/** Whether the content is that of a keybox, in which gpg keeps its keys since version 2.1. */
export function isKeybox(content: Uint8Array): boolean {
  return content[4] === headerBlob && Buffer.from(content.subarray(8, 12)).toString("latin1") === "KBXf";
}

/** The OpenPGP keys in a keybox (GnuPG's doc/keybox format: blobs, each with its length, its kind and where its key is). */
export function keysInKeybox(content: Uint8Array): Uint8Array {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const keys: Uint8Array[] = [];
  for (let at = 0; at + fixedBytes <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const [start, size] = [bytes.readUInt32BE(at + 8), bytes.readUInt32BE(at + 12)];
    if (length < fixedBytes || at + length > bytes.length) throw new Failure("damaged", "its keybox ends too soon");
    if (bytes[at + 4] === keyBlob) {
      if (start + size > length) throw new Failure("damaged", "a key in its keybox is longer than its place");
      keys.push(bytes.subarray(at + start, at + start + size));
    }
    at += length;
  }
  return Buffer.concat(keys);
}
