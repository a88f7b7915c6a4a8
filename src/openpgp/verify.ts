import { Failure } from "../base/index.ts";
import { decodeArmour, isArmoured } from "./armour.ts";
import type { SigningKey } from "./certificate.ts";
import { canonicalText, parseCleartext } from "./cleartext.ts";
import type { Keyring } from "./keyring.ts";
import { packetTag, parsePackets } from "./packet.ts";
import { isMadeBy, parseSignature, signatureType, weakness, type Signature } from "./signature.ts";

export interface VerifyOptions {
  readonly keyring: Keyring;
  readonly nowMs: number;
  /** The clock of this machine may be wrong: a signature from the future is none the worse. */
  readonly anyTime?: boolean;
}

/** A signature that counts. */
export interface GoodSignature {
  /** Of the key that signed. */
  readonly fingerprint: string;
  readonly primaryFingerprint: string;
  readonly userId: string;
  readonly createdMs: number;
}

/** Clocks differ; a signature may be this much newer than this machine's time. */
const clockToleranceMs = 24 * 60 * 60 * 1000;
const signatureLimit = 100;

/**
 * The text of a cleartext-signed message with the signatures that count, of which there is one at least. Throws
 * `mismatch` where a key of the keyring has signed something else, `refused` where no key of the keyring has signed,
 * `damaged` where it is no such message; messages go on after `cannot trust "…": `.
 */
export function verifyCleartext(
  content: Uint8Array,
  options: VerifyOptions,
): { readonly text: string; readonly signatures: readonly GoodSignature[] } {
  const { text, hashed, signatures } = parseCleartext(content);
  const over = (type: number): Uint8Array | undefined => (type === signatureType.text ? hashed : undefined);
  return { text, signatures: goodSignatures(signatures, over, options) };
}

/** As `verifyCleartext`, for a file and its detached signatures, armoured or not. */
export function verifyDetached(
  content: Uint8Array,
  signatures: Uint8Array,
  options: VerifyOptions,
): readonly GoodSignature[] {
  const packets = isArmoured(signatures)
    ? decodeArmour(Buffer.from(signatures).toString("latin1"), "SIGNATURE")
    : signatures;
  const over = (type: number): Uint8Array | undefined => {
    if (type === signatureType.binary) return content;
    return type === signatureType.text ? canonicalText(content) : undefined;
  };
  return goodSignatures(packets, over, options);
}

function goodSignatures(
  packets: Uint8Array,
  over: (type: number) => Uint8Array | undefined,
  options: VerifyOptions,
): GoodSignature[] {
  const good: GoodSignature[] = [];
  const others: string[] = [];
  const parsed = parsePackets(packets).slice(0, signatureLimit + 1);
  if (parsed.length > signatureLimit) throw new Failure("damaged", `it has more than ${signatureLimit} signatures`);
  for (const { tag, body } of parsed) {
    const signature = tag === packetTag.signature ? parseSignature(body) : undefined;
    if (signature === undefined) continue;
    const outcome = judge(signature, over(signature.type), options);
    if (typeof outcome === "string") others.push(outcome);
    else good.push(outcome);
  }
  if (good.length > 0) return good;
  const why = others.length === 0 ? "it has no signature known here" : [...new Set(others)].join("; ");
  throw new Failure("refused", `no key of ${options.keyring.names.join(", ") || "the keyring"} has signed it: ${why}`);
}

/** The signature where it counts, else why it does not. A wrong one by a known key throws. */
function judge(
  signature: Signature,
  content: Uint8Array | undefined,
  { keyring, nowMs, anyTime = false }: VerifyOptions,
): GoodSignature | string {
  const issuer = signature.issuerFingerprint ?? signature.issuerKeyId;
  const candidates = keyring.keys.filter(({ key }) => {
    return issuer === undefined || key.fingerprint === issuer || key.keyId === issuer;
  });
  const named = issuer === undefined ? "by an unnamed key" : `by the key ${issuer}`;
  if (candidates.length === 0) return `a signature ${named} is there, which is not in the keyring`;
  const weak = weakness(signature);
  if (weak !== undefined) return `the signature ${named} does not count, since ${weak}`;
  const signers = content === undefined ? [] : candidates.filter(({ key }) => isMadeBy(signature, key, [content]));
  const [anySigner] = signers;
  if (anySigner === undefined) {
    if (issuer === undefined) return "a signature by an unnamed key is there, which is not in the keyring";
    throw new Failure("mismatch", `the signature ${named} is not over this content: it was changed or damaged`);
  }
  // Of several copies of a key, one that is revoked speaks for all; else the one with the latest end does.
  const revoked = signers.find(({ revokedMs }) => revokedMs !== undefined);
  const signer =
    revoked ?? signers.toSorted((a, b) => (b.expiresMs ?? Infinity) - (a.expiresMs ?? Infinity))[0] ?? anySigner;
  const outOfTime = timeProblem(signature, signer, anyTime ? Infinity : nowMs);
  if (outOfTime !== undefined) return `the signature ${named} does not count, since ${outOfTime}`;
  return {
    fingerprint: signer.key.fingerprint,
    primaryFingerprint: signer.primaryFingerprint,
    userId: signer.userId,
    createdMs: signature.createdMs,
  };
}

function timeProblem({ createdMs, expiresMs }: Signature, signer: SigningKey, nowMs: number): string | undefined {
  if (createdMs > nowMs + clockToleranceMs) return `it was made on ${day(createdMs)}, which is still to come`;
  if (nowMs < Infinity && expiresMs !== undefined && expiresMs < nowMs) return `it expired on ${day(expiresMs)}`;
  if (createdMs < signer.key.createdMs) return `it is older than its key, of ${day(signer.key.createdMs)}`;
  if (signer.expiresMs !== undefined && createdMs >= signer.expiresMs)
    return `the key expired on ${day(signer.expiresMs)}`;
  if (signer.revokedMs === 0) return "the key was revoked";
  if (signer.revokedMs !== undefined && createdMs >= signer.revokedMs) {
    return `the key was revoked on ${day(signer.revokedMs)}`;
  }
  return undefined;
}

function day(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
