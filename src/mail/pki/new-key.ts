import * as crypto from "node:crypto";

/** Kinds of keys: P-256 is for everything of this decade, RSA for what is older. */
export const keyTypes = ["ec-p256", "ec-p384", "rsa-2048", "rsa-3072"] as const;
export type KeyType = (typeof keyTypes)[number];

const kinds: Readonly<Record<KeyType, { readonly curve?: string; readonly bits: number }>> = {
  "ec-p256": { curve: "P-256", bits: 256 },
  "ec-p384": { curve: "P-384", bits: 384 },
  "rsa-2048": { bits: 2048 },
  "rsa-3072": { bits: 3072 },
};

export interface KeyPair {
  readonly privateKey: crypto.KeyObject;
  readonly publicKey: crypto.KeyObject;
}

export function newKey(type: KeyType): KeyPair {
  const { curve, bits } = kinds[type];
  return curve === undefined
    ? crypto.generateKeyPairSync("rsa", { modulusLength: bits })
    : crypto.generateKeyPairSync("ec", { namedCurve: curve });
}

/** Random, positive, and always of sixteen bytes (RFC 5280 §4.1.2.2). */
export function newSerial(): Uint8Array {
  const serial = crypto.randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}
