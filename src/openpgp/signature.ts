import * as crypto from "node:crypto";
import { Failure } from "../base/index.ts";
import { Octets } from "./octets.ts";
import { signatureValue, type PublicKey } from "./public-key.ts";
import { isRsaSignature } from "./rsa.ts";

/** RFC 9580 §5.2.1. */
export const signatureType = {
  binary: 0x00,
  text: 0x01,
  genericCertification: 0x10,
  positiveCertification: 0x13,
  subkeyBinding: 0x18,
  primaryKeyBinding: 0x19,
  directKey: 0x1f,
  keyRevocation: 0x20,
  subkeyRevocation: 0x28,
  certificationRevocation: 0x30,
} as const;

/** RFC 9580 §9.5, without those that are broken. SHA-1 counts only where it takes trust away. */
const hashNames: ReadonlyMap<number, string> = new Map([
  [8, "sha256"],
  [9, "sha384"],
  [10, "sha512"],
  [11, "sha224"],
  [12, "sha3-256"],
  [14, "sha3-512"],
]);
const sha1 = 2;
const weakHashes: ReadonlyMap<number, string> = new Map([
  [1, "MD5"],
  [sha1, "SHA-1"],
  [3, "RIPEMD-160"],
]);

/** What a signature says in its hashed part, and who may have made it. */
export interface Signature {
  readonly version: number;
  readonly type: number;
  readonly algorithm: number;
  readonly hashAlgorithm: number;
  readonly createdMs: number;
  /** When it is no longer good, absent for never. */
  readonly expiresMs?: number;
  /** How long the key is good, counted from when the key was made; absent for ever. */
  readonly keyLifetimeMs?: number;
  readonly keyFlags?: number;
  /** RFC 9580 §5.2.3.31, of revocations. */
  readonly revocationReason?: number;
  readonly issuerFingerprint?: string;
  readonly issuerKeyId?: string;
  /** By a subkey that signs, of its primary key (RFC 9580 §5.2.3.34). */
  readonly embedded?: Uint8Array;
  /** Something in it must be understood and is not known here: the signature then counts for nothing. */
  readonly isBeyondUs: boolean;
  /** From the version to the end of the hashed subpackets. */
  readonly hashedPart: Uint8Array;
  readonly hashStart: Uint8Array;
  readonly salt: Uint8Array;
  readonly numbers: Uint8Array;
}

/** The body of a signature packet (RFC 9580 §5.2.3); undefined for versions not known here. */
export function parseSignature(body: Uint8Array): Signature | undefined {
  const octets = new Octets(body);
  const version = octets.u8();
  if (version !== 4 && version !== 6) return undefined;
  const length = (): number => (version === 4 ? octets.u16() : octets.u32());
  const [type, algorithm, hashAlgorithm] = [octets.u8(), octets.u8(), octets.u8()];
  const hashed = octets.take(length());
  const hashedPart = body.subarray(0, body.length - octets.left);
  const unhashed = octets.take(length());
  const hashStart = octets.take(2);
  const salt = version === 6 ? octets.take(octets.u8()) : new Uint8Array(0);
  const said = collect(hashed, true);
  const hinted = collect(unhashed, false);
  return {
    version,
    type,
    algorithm,
    hashAlgorithm,
    ...hinted,
    ...said,
    createdMs: said.createdMs ?? 0,
    isBeyondUs: said.isBeyondUs === true || said.createdMs === undefined,
    hashedPart,
    hashStart,
    salt,
    numbers: octets.rest(),
  };
}

type Said = { -readonly [K in keyof Signature]?: Signature[K] };

/** RFC 9580 §5.2.3.7. Subpackets that say nothing that matters here. */
const withoutMeaning: ReadonlySet<number> = new Set([4, 5, 6, 7, 11, 12, 21, 22, 23, 24, 25, 26, 28, 30, 31, 34, 39]);

/** What is not hashed was perhaps added by another: only hints are taken from there. */
function collect(bytes: Uint8Array, isHashed: boolean): Said {
  const said: Said = {};
  let lifetimeMs = 0;
  for (const octets = new Octets(bytes); octets.left > 0;) {
    const size = subpacketLength(octets);
    if (size === 0) throw new Failure("damaged", "a subpacket of a signature is empty");
    const kind = octets.u8();
    const content = new Octets(octets.take(size - 1));
    if (takeHint(kind & 0x7f, content, said) || !isHashed) continue;
    if ((kind & 0x7f) === 3) lifetimeMs = content.u32() * 1000;
    else if (!takeStatement(kind & 0x7f, content, said) && (kind & 0x80) !== 0) said.isBeyondUs = true;
  }
  if (lifetimeMs > 0 && said.createdMs !== undefined) said.expiresMs = said.createdMs + lifetimeMs;
  return said;
}

function takeHint(kind: number, content: Octets, said: Said): boolean {
  if (kind === 16) said.issuerKeyId = hexOf(content.take(8));
  else if (kind === 33) {
    content.u8(); // the version of that key
    said.issuerFingerprint = hexOf(content.rest());
  } else if (kind === 32) said.embedded = content.rest();
  else return false;
  return true;
}

/** False where the kind is not known here. */
function takeStatement(kind: number, content: Octets, said: Said): boolean {
  if (kind === 2) said.createdMs = content.u32() * 1000;
  else if (kind === 9) {
    const lifetimeMs = content.u32() * 1000;
    if (lifetimeMs > 0) said.keyLifetimeMs = lifetimeMs;
  } else if (kind === 27) said.keyFlags = content.left > 0 ? content.u8() : 0;
  else if (kind === 29) said.revocationReason = content.u8();
  else return withoutMeaning.has(kind);
  return true;
}

function subpacketLength(octets: Octets): number {
  const first = octets.u8();
  if (first < 192) return first;
  if (first < 255) return (first - 192) * 256 + octets.u8() + 192;
  return octets.u32();
}

/** Why a signature cannot count, whoever made it; undefined where it can. */
export function weakness(signature: Signature): string | undefined {
  const weak = weakHashes.get(signature.hashAlgorithm);
  if (weak !== undefined) return `it rests on ${weak}, which is broken`;
  if (!hashNames.has(signature.hashAlgorithm)) return `its hash, number ${signature.hashAlgorithm}, is not known here`;
  if (signature.isBeyondUs) return "it says what is not known here and must be";
  return undefined;
}

/** Whether `key` made this signature over `data`, given as stretches. Who may sign what is not asked here. */
export function isMadeBy(signature: Signature, key: PublicKey, data: readonly Uint8Array[]): boolean {
  const check = startCheck(signature, key);
  for (const stretch of data) check?.update(stretch);
  return check?.isGood() === true;
}

/** Takes in what was perhaps signed, stretch by stretch, and then says whether it was. */
export interface ContentCheck {
  update(stretch: Uint8Array): void;
  /** Asked once, at the end. */
  isGood(): boolean;
}

/** Undefined where this key cannot have made this signature, whatever it is over. */
export function startCheck(signature: Signature, key: PublicKey): ContentCheck | undefined {
  const isRevocation = [0x20, 0x28, 0x30].includes(signature.type);
  const hash = isRevocation && signature.hashAlgorithm === sha1 ? "sha1" : hashNames.get(signature.hashAlgorithm);
  if (hash === undefined || key.verifier === undefined || key.version !== signature.version) return undefined;
  if (signature.algorithm !== key.algorithm) return undefined;
  const { key: verifyingKey, form } = key.verifier;
  const value = signatureValue(form, signature.numbers);
  if (value === undefined) return undefined;
  const digester = crypto.createHash(hash);
  // Node verifies DSA and ECDSA over content only; for the others one hash does.
  const verifier = form.kind === "pair" && !form.isEdwards ? crypto.createVerify(hash) : undefined;
  const update = (stretch: Uint8Array): void => {
    digester.update(stretch);
    verifier?.update(stretch);
  };
  update(signature.salt);
  return {
    update,
    isGood() {
      update(signature.hashedPart);
      update(trailer(signature));
      const digest = digester.digest();
      if (digest[0] !== signature.hashStart[0] || digest[1] !== signature.hashStart[1]) return false;
      if (verifier !== undefined) return verifier.verify({ key: verifyingKey, dsaEncoding: "ieee-p1363" }, value);
      if (form.kind === "rsa") return isRsaSignature(verifyingKey, value, { hash, digest });
      // Edwards curves sign the digest as a message of its own (RFC 9580 §5.2.3.3).
      return crypto.verify(null, digest, verifyingKey, value);
    },
  };
}

/** RFC 9580 §5.2.4. */
function trailer(signature: Signature): Uint8Array {
  const bytes = Buffer.alloc(6);
  bytes[0] = signature.version;
  bytes[1] = 0xff;
  bytes.writeUInt32BE(signature.hashedPart.length, 2);
  return bytes;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex").toUpperCase();
}
