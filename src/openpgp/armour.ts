import { Failure } from "../base/index.ts";

const beginLine = /^-----BEGIN PGP ([A-Z0-9 ]+)-----$/;
const headerLine = /^[A-Za-z][A-Za-z0-9-]*: ?/;
const base64Line = /^[A-Za-z0-9+/]+={0,2}$/;
const crcLine = /^=([A-Za-z0-9+/]{4})$/;

/** Whether the bytes begin as armoured data does, comments before it aside. */
export function isArmoured(bytes: Uint8Array): boolean {
  return (
    (bytes[0] ?? 0) < 0x80 && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes("-----BEGIN PGP ")
  );
}

/** The bytes of all armoured blocks of this kind in the text (RFC 9580 §6.2), joined. Text between blocks is left out. */
export function decodeArmour(text: string, kind: string): Uint8Array {
  const lines = text.split(/\r?\n/).map((line) => line.trimEnd());
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < lines.length; at++) {
    if (beginLine.exec(lines[at] ?? "")?.[1] !== kind) continue;
    const end = lines.indexOf(`-----END PGP ${kind}-----`, at);
    if (end < 0) throw new Failure("damaged", `its "${kind}" has no end`);
    blocks.push(decodeBlock(lines.slice(at + 1, end)));
    at = end;
  }
  if (blocks.length === 0) throw new Failure("damaged", `it holds no "${kind}"`);
  return Buffer.concat(blocks);
}

function decodeBlock(lines: readonly string[]): Uint8Array {
  const blank = lines.indexOf("");
  const headers = lines.slice(0, Math.max(0, blank));
  if (blank < 0 || !headers.every((line) => headerLine.test(line))) {
    throw new Failure("damaged", "its armour has no blank line before the data");
  }
  const data = lines.slice(blank + 1).filter((line) => line !== "");
  const crc = crcLine.exec(data.at(-1) ?? "")?.[1];
  const content = crc === undefined ? data : data.slice(0, -1);
  if (!content.every((line, n) => base64Line.test(line) && (n === content.length - 1 || !line.endsWith("=")))) {
    throw new Failure("damaged", "its armour holds other signs than base64");
  }
  const bytes = Buffer.from(content.join(""), "base64");
  // RFC 9580 §6.1 lets readers pass over the checksum; a wrong one means damage all the same.
  if (crc !== undefined && Buffer.from(crc, "base64").readUIntBE(0, 3) !== crc24(bytes)) {
    throw new Failure("damaged", "its armour's checksum does not match");
  }
  return bytes;
}

/** RFC 9580 §6.1.1. */
function crc24(bytes: Uint8Array): number {
  let crc = 0xb704ce;
  for (const octet of bytes) {
    crc ^= octet << 16;
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1;
      if ((crc & 0x1000000) !== 0) crc ^= 0x1864cfb;
    }
  }
  return crc & 0xffffff;
}
