import * as zlib from "node:zlib";
import { Failure } from "../base/index.ts";
import { Octets } from "./octets.ts";
import { packetTag } from "./packet.ts";

/** A message with its signatures in it, as `gpg --sign` makes it, taken apart. */
export interface InlineMessage {
  /** What was signed. */
  readonly content: Uint8Array;
  /** Signature packets. */
  readonly signatures: Uint8Array;
}

const onePassSignature = 4;
const compressedData = 8;
const literalData = 11;
/** What such messages hold here are lists of sums. */
const contentLimitBytes = 64 * 1024 * 1024;
const packetLimit = 300;
/** Compressed data in compressed data in …: nobody makes that. */
const depthLimit = 4;

/** Takes a signed message apart (RFC 9580 §10.3): one piece of data, signatures, and what announces them. */
export function parseMessage(bytes: Uint8Array, depth = 0): InlineMessage {
  if (depth > depthLimit) throw new Failure("damaged", "it is packed more than once");
  let content: Uint8Array | undefined;
  const signatures: Uint8Array[] = [];
  const octets = new Octets(bytes);
  for (let n = 0; octets.left > 0; n++) {
    if (n === packetLimit) throw new Failure("damaged", `it has more than ${packetLimit} packets`);
    const { tag, body } = nextPart(octets);
    if (tag === compressedData && n === 0 && octets.left === 0) return parseMessage(unpacked(body), depth + 1);
    if (tag === packetTag.signature) signatures.push(asPacket(body));
    else if (tag === literalData && content === undefined) content = dataOf(body);
    else if (tag !== onePassSignature) throw new Failure("damaged", "it is not one text with its signatures");
  }
  if (content === undefined) throw new Failure("damaged", "it is no message that was only signed");
  return { content, signatures: Buffer.concat(signatures) };
}

/** RFC 9580 §4.2; unlike keys and signatures, data comes in parts, or up to the end. */
function nextPart(octets: Octets): { readonly tag: number; readonly body: Uint8Array } {
  const header = octets.u8();
  if ((header & 0x80) === 0) throw new Failure("damaged", "what is there is no OpenPGP packet");
  if ((header & 0x40) === 0) {
    const tag = (header >> 2) & 0xf;
    const sizes = [() => octets.u8(), () => octets.u16(), () => octets.u32(), () => octets.left];
    return { tag, body: octets.take(sizes[header & 3]?.() ?? 0) };
  }
  const parts: Uint8Array[] = [];
  for (;;) {
    const first = octets.u8();
    if (first >= 224 && first < 255) {
      parts.push(octets.take(2 ** (first & 0x1f)));
      continue;
    }
    const size = first < 192 ? first : first === 255 ? octets.u32() : (first - 192) * 256 + octets.u8() + 192;
    parts.push(octets.take(size));
    return { tag: header & 0x3f, body: parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts) };
  }
}

/** RFC 9580 §5.6, §9.4. */
function unpacked(body: Uint8Array): Uint8Array {
  const [kind, data] = [body[0], body.subarray(1)];
  const limit = { maxOutputLength: contentLimitBytes };
  try {
    if (kind === 0) return data;
    if (kind === 1) return zlib.inflateRawSync(data, limit);
    if (kind === 2) return zlib.inflateSync(data, limit);
  } catch (error) {
    throw new Failure("damaged", "what is packed in it cannot be unpacked", { cause: error });
  }
  throw new Failure("unsupported", "it is packed in a way that is not known here");
}

/** RFC 9580 §5.9: a kind, a file name and a time, which are not signed, in front of the data. */
function dataOf(body: Uint8Array): Uint8Array {
  const octets = new Octets(body);
  octets.u8();
  octets.take(octets.u8());
  octets.u32();
  return octets.rest();
}

function asPacket(body: Uint8Array): Uint8Array {
  const header = Buffer.of(0xc0 | packetTag.signature, 0xff, 0, 0, 0, 0);
  header.writeUInt32BE(body.length, 2);
  return Buffer.concat([header, body]);
}
