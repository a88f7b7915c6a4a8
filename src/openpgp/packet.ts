import { Failure } from "../base/index.ts";
import { Octets } from "./octets.ts";

/** RFC 9580 §5. */
export const packetTag = {
  signature: 2,
  publicKey: 6,
  trust: 12,
  userId: 13,
  publicSubkey: 14,
  userAttribute: 17,
} as const;

export interface Packet {
  readonly tag: number;
  readonly body: Uint8Array;
}

/** A keyring of all of Debian's developers has about this many. */
const packetLimit = 1_000_000;

/** The packets of a keyring or of detached signatures (RFC 9580 §4.2), one after the other. */
export function parsePackets(bytes: Uint8Array): Packet[] {
  const octets = new Octets(bytes);
  const packets: Packet[] = [];
  while (octets.left > 0) {
    if (packets.length === packetLimit) throw new Failure("damaged", `there are more than ${packetLimit} packets`);
    packets.push(nextPacket(octets));
  }
  return packets;
}

function nextPacket(octets: Octets): Packet {
  const header = octets.u8();
  if ((header & 0x80) === 0) throw new Failure("damaged", "what is there is no OpenPGP packet");
  if ((header & 0x40) !== 0) return { tag: header & 0x3f, body: octets.take(newLength(octets)) };
  return { tag: (header >> 2) & 0xf, body: octets.take(oldLength(octets, header & 3)) };
}

function newLength(octets: Octets): number {
  const first = octets.u8();
  if (first < 192) return first;
  if (first < 224) return (first - 192) * 256 + octets.u8() + 192;
  if (first === 255) return octets.u32();
  throw new Failure("damaged", "an OpenPGP packet comes in parts, which keys and signatures never do");
}

function oldLength(octets: Octets, kind: number): number {
  if (kind === 0) return octets.u8();
  if (kind === 1) return octets.u16();
  if (kind === 2) return octets.u32();
  throw new Failure("damaged", "an OpenPGP packet has no length, which keys and signatures always have");
}
