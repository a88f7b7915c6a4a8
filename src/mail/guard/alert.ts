import { createCipheriv, createHmac } from "node:crypto";
import type { RefusalReason } from "../pki/index.ts";

/** Why a connection ends in its handshake. */
export type HandshakeRefusal = RefusalReason | "too many connections" | "banned";

/** RFC 8446 §6.2 */
const descriptions: Readonly<Record<HandshakeRefusal, number>> = {
  "no certificate": 116,
  "not readable": 42,
  "self-signed": 48,
  "unknown authority": 48,
  "authority expired": 48,
  "authority revoked": 48,
  "not yet valid": 46,
  expired: 45,
  revoked: 44,
  "no revocation list": 46,
  "revocation list expired": 46,
  "not for clients": 43,
  "no mailbox in it": 42,
  "mailbox forbidden to its authority": 42,
  "several mailboxes in it": 42,
  "too many connections": 49,
  banned: 49,
};

const fatal = 2;
const alertType = 21;
const applicationDataType = 23;
const legacyVersion = [3, 3] as const;
const tagBytes = 16;

/**
 * The record that tells a client of TLS 1.2 why, sent before this side's first encrypted one (RFC 5246 §7.2). Node
 * itself would only hang up, so that a person is told nothing.
 */
export function plainAlert(refusal: HandshakeRefusal): Uint8Array {
  return Uint8Array.of(alertType, ...legacyVersion, 0, 2, fatal, descriptions[refusal]);
}

export interface TrafficKeys {
  /** Of the server, for application data: SERVER_TRAFFIC_SECRET_0. */
  readonly secret: Uint8Array;
  /** `TLS_AES_256_GCM_SHA384` */
  readonly cipher: string;
}

/** The same for TLS 1.3: this side's first record under the keys of the connection (RFC 8446 §5.2, §7.3). Undefined for other ciphers. */
export function sealedAlert(refusal: HandshakeRefusal, { secret, cipher }: TrafficKeys): Uint8Array | undefined {
  const suite = suites.get(cipher);
  if (suite === undefined) return undefined;
  const key = expandLabel(suite.hash, secret, "key", suite.keyBytes);
  const nonce = expandLabel(suite.hash, secret, "iv", 12); // the number of the first record is 0
  const content = Uint8Array.of(fatal, descriptions[refusal], alertType);
  const header = Uint8Array.of(applicationDataType, ...legacyVersion, 0, content.length + tagBytes);
  const seal = createCipheriv(suite.algorithm as "aes-256-gcm", key, nonce, { authTagLength: tagBytes });
  seal.setAAD(header, { plaintextLength: content.length });
  return Buffer.concat([header, seal.update(content), seal.final(), seal.getAuthTag()]);
}

interface Suite {
  readonly algorithm: "aes-128-gcm" | "aes-256-gcm" | "chacha20-poly1305";
  readonly keyBytes: number;
  readonly hash: string;
}

const suites: ReadonlyMap<string, Suite> = new Map<string, Suite>([
  ["TLS_AES_128_GCM_SHA256", { algorithm: "aes-128-gcm", keyBytes: 16, hash: "sha256" }],
  ["TLS_AES_256_GCM_SHA384", { algorithm: "aes-256-gcm", keyBytes: 32, hash: "sha384" }],
  ["TLS_CHACHA20_POLY1305_SHA256", { algorithm: "chacha20-poly1305", keyBytes: 32, hash: "sha256" }],
]);

/** HKDF-Expand-Label (RFC 8446 §7.1) without a context, for no more than one block. */
function expandLabel(hash: string, secret: Uint8Array, label: string, lengthBytes: number): Uint8Array {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Uint8Array.of(0, lengthBytes, name.length), name, Uint8Array.of(0, 1)]);
  return createHmac(hash, secret).update(info).digest().subarray(0, lengthBytes);
}
