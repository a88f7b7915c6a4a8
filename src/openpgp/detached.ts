import { Failure } from "../base/index.ts";
import { decodeArmour, isArmoured } from "./armour.ts";
import { packetTag, parsePackets } from "./packet.ts";
import { parseSignature, type Signature } from "./signature.ts";

const signatureLimit = 100;

/** The packets of a file of detached signatures, armoured or not. */
export function detachedPackets(content: Uint8Array): Uint8Array {
  return isArmoured(content) ? decodeArmour(Buffer.from(content).toString("latin1"), "SIGNATURE") : content;
}

/** The signatures among packets; those of versions not known here are left out. */
export function parseSignatures(packets: Uint8Array): Signature[] {
  const parsed = parsePackets(packets);
  if (parsed.length > signatureLimit) throw new Failure("damaged", `it has more than ${signatureLimit} signatures`);
  return parsed.flatMap(({ tag, body }) => (tag === packetTag.signature ? (parseSignature(body) ?? []) : []));
}
