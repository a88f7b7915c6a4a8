import { Failure } from "../base/index.ts";
import { packetTag, type Packet } from "./packet.ts";
import { identify, parsePublicKey, type PublicKey } from "./public-key.ts";
import { isMadeBy, parseSignature, signatureType, weakness, type Signature } from "./signature.ts";

/** A key that may sign data, as its certificate says. */
export interface SigningKey {
  readonly key: PublicKey;
  /** Of the certificate's primary key; that of the key itself where it is the primary one. */
  readonly primaryFingerprint: string;
  /** The first user ID, to name it by. */
  readonly userId: string;
  /** What it signed from then on does not count. Absent: it does not expire. */
  readonly expiresMs?: number;
  /** Of a key that was given up in good order: what it signed before counts. 0: it was stolen, nothing counts. */
  readonly revokedMs?: number;
}

/** A key or user ID with the signatures that follow it. */
interface RawComponent {
  readonly packet: Packet;
  readonly signatures: Packet[];
}

interface RawCertificate {
  readonly primary: RawComponent;
  readonly userIds: RawComponent[];
  readonly subkeys: RawComponent[];
}

interface Component {
  readonly packet: Packet;
  readonly signatures: readonly Signature[];
}

interface Certificate {
  readonly primary: Component;
  readonly userIds: readonly Component[];
  readonly subkeys: readonly Component[];
}

const mayCertify = 0x01;
const maySign = 0x02;

/**
 * The keys that may sign data, out of the packets of a keyring; with `issuers` only those of certificates that have a key
 * of one of these fingerprints or key IDs. What does not hold together is left out.
 */
export function signingKeysOf(packets: readonly Packet[], issuers?: readonly string[]): FoundKeys {
  const certificates = certificatesIn(packets);
  const wanted = issuers === undefined ? certificates : certificates.filter((one) => isAmong(one, issuers));
  const keys = wanted.flatMap(({ primary, userIds, subkeys }) => {
    return keysOf({ primary: parsed(primary), userIds: userIds.map(parsed), subkeys: subkeys.map(parsed) });
  });
  return { keys, unusable: wanted.flatMap(unusableOf) };
}

export interface FoundKeys {
  readonly keys: readonly SigningKey[];
  /** Fingerprints and key IDs of those that nothing can be verified with here. */
  readonly unusable: readonly string[];
}

/** A weak primary key is no ground for its subkeys to stand on. */
function unusableOf({ primary, subkeys }: RawCertificate): readonly string[] {
  const [first, ...others] = [primary, ...subkeys].map(({ packet }) => readable(() => parsePublicKey(packet.body)));
  const weak = first?.verifier === undefined ? [first, ...others] : others.filter((key) => key?.verifier === undefined);
  return weak.flatMap((key) => (key === undefined ? [] : [key.fingerprint, key.keyId]));
}

function parsed({ packet, signatures }: RawComponent): Component {
  return { packet, signatures: signatures.flatMap(({ body }) => readable(() => parseSignature(body)) ?? []) };
}

function isAmong({ primary, subkeys }: RawCertificate, issuers: readonly string[]): boolean {
  return [primary, ...subkeys].some(({ packet }) => {
    const key = readable(() => identify(packet.body));
    return key !== undefined && (issuers.includes(key.fingerprint) || issuers.includes(key.keyId));
  });
}

function certificatesIn(packets: readonly Packet[]): RawCertificate[] {
  const found: RawCertificate[] = [];
  let component: RawComponent | undefined;
  for (const packet of packets) {
    if (packet.tag === packetTag.signature) {
      component?.signatures.push(packet);
      continue;
    }
    if (packet.tag === packetTag.trust) continue;
    component = { packet, signatures: [] };
    if (packet.tag === packetTag.publicKey) found.push({ primary: component, userIds: [], subkeys: [] });
    else if (packet.tag === packetTag.userId) found.at(-1)?.userIds.push(component);
    else if (packet.tag === packetTag.publicSubkey) found.at(-1)?.subkeys.push(component);
  }
  return found;
}

/** One damaged packet among many makes the others no worse. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

function keysOf(certificate: Certificate): SigningKey[] {
  const primary = readable(() => parsePublicKey(certificate.primary.packet.body));
  if (primary?.verifier === undefined) return [];
  const self = selfStatement(certificate, primary);
  if (self === undefined) return [];
  const userId = nameOf(certificate);
  const life = {
    ...validity(primary, self),
    ...revocation(certificate.primary, signatureType.keyRevocation, primary, [primary.hashed]),
  };
  const keys: SigningKey[] = [];
  if (((self.keyFlags ?? mayCertify | maySign) & maySign) !== 0) {
    keys.push({ key: primary, primaryFingerprint: primary.fingerprint, userId, ...life });
  }
  for (const component of certificate.subkeys) {
    const subkey = subkeyOf(component, primary);
    if (subkey === undefined) continue;
    keys.push({ ...subkey, primaryFingerprint: primary.fingerprint, userId, ...earlier(life, subkey) });
  }
  return keys;
}

/** What a primary key says of itself. */
type SelfStatement = Pick<Signature, "keyFlags" | "keyLifetimeMs">;

/**
 * The newest of what the primary key says with its user IDs, those it has taken back left out, and directly; one fills in
 * what the other leaves open (RFC 9580 §5.2.3.10: version 4 keys speak with user IDs, version 6 keys directly).
 */
function selfStatement(certificate: Certificate, primary: PublicKey): SelfStatement | undefined {
  const direct = newestOf(
    certificate.primary.signatures.filter((signature) => {
      return signature.type === signatureType.directKey && isSound(signature, primary, [primary.hashed]);
    }),
  );
  const withUserId = newestOf(certificate.userIds.flatMap((component) => certification(component, primary) ?? []));
  const [first, second] = primary.version === 4 ? [withUserId, direct] : [direct, withUserId];
  const [keyFlags, keyLifetimeMs] = [
    first?.keyFlags ?? second?.keyFlags,
    first?.keyLifetimeMs ?? second?.keyLifetimeMs,
  ];
  if (first === undefined && second === undefined) return undefined;
  return {
    ...(keyFlags === undefined ? {} : { keyFlags }),
    ...(keyLifetimeMs === undefined ? {} : { keyLifetimeMs }),
  };
}

/** The newest signature of the primary key over one of its user IDs, unless it was taken back. */
function certification({ packet, signatures }: Component, primary: PublicKey): Signature | undefined {
  const hashed = [primary.hashed, userIdPrefix(packet.body.length), packet.body];
  const newest = newestOf(
    signatures.filter((signature) => {
      const { type } = signature;
      const isCertification = type >= signatureType.genericCertification && type <= signatureType.positiveCertification;
      return isCertification && isSound(signature, primary, hashed);
    }),
  );
  const isTakenBack = signatures.some((signature) => {
    const isRevocation = signature.type === signatureType.certificationRevocation;
    return isRevocation && signature.createdMs >= (newest?.createdMs ?? 0) && isMadeBy(signature, primary, hashed);
  });
  return isTakenBack ? undefined : newest;
}

function subkeyOf(
  component: Component,
  primary: PublicKey,
): Pick<SigningKey, "key" | "expiresMs" | "revokedMs"> | undefined {
  const key = readable(() => parsePublicKey(component.packet.body));
  if (key?.verifier === undefined) return undefined;
  const hashed = [primary.hashed, key.hashed];
  const binding = newestOf(
    component.signatures.filter(
      (signature) => signature.type === signatureType.subkeyBinding && isSound(signature, primary, hashed),
    ),
  );
  if (binding === undefined || ((binding.keyFlags ?? 0) & maySign) === 0) return undefined;
  if (!isBoundBack(binding, key, hashed)) return undefined;
  const revoked = revocation(component, signatureType.subkeyRevocation, primary, hashed);
  return { key, ...validity(key, binding), ...revoked };
}

/** RFC 9580 §5.2.1.9: without it, a certificate could claim a signing key of someone else. */
function isBoundBack(binding: Signature, subkey: PublicKey, hashed: readonly Uint8Array[]): boolean {
  const { embedded } = binding;
  const back = embedded === undefined ? undefined : readable(() => parseSignature(embedded));
  return back?.type === signatureType.primaryKeyBinding && isSound(back, subkey, hashed);
}

function isSound(signature: Signature, by: PublicKey, hashed: readonly Uint8Array[]): boolean {
  return weakness(signature) === undefined && signature.expiresMs === undefined && isMadeBy(signature, by, hashed);
}

function newestOf(signatures: readonly Signature[]): Signature | undefined {
  return signatures.toSorted((a, b) => b.createdMs - a.createdMs)[0];
}

function validity(key: PublicKey, self: SelfStatement): { readonly expiresMs?: number } {
  return self.keyLifetimeMs === undefined ? {} : { expiresMs: key.createdMs + self.keyLifetimeMs };
}

/** RFC 9580 §5.2.3.31: superseded or retired keys keep what they signed before; for all other reasons, nothing is kept. */
const goodOrderReasons: readonly number[] = [1, 3];

function revocation(
  component: Component,
  type: number,
  primary: PublicKey,
  hashed: readonly Uint8Array[],
): { readonly revokedMs?: number } {
  const revocations = component.signatures.filter((one) => one.type === type && isMadeBy(one, primary, hashed));
  if (revocations.length === 0) return {};
  const times = revocations.map((one) => (goodOrderReasons.includes(one.revocationReason ?? 0) ? one.createdMs : 0));
  return { revokedMs: Math.min(...times) };
}

type Life = Pick<SigningKey, "expiresMs" | "revokedMs">;

/** A subkey ends with its primary key. */
function earlier(a: Life, b: Life): Life {
  const expiresMs = Math.min(a.expiresMs ?? Infinity, b.expiresMs ?? Infinity);
  const revokedMs = Math.min(a.revokedMs ?? Infinity, b.revokedMs ?? Infinity);
  return { ...(expiresMs < Infinity ? { expiresMs } : {}), ...(revokedMs < Infinity ? { revokedMs } : {}) };
}

function userIdPrefix(lengthBytes: number): Uint8Array {
  const prefix = Buffer.alloc(5);
  prefix[0] = 0xb4;
  prefix.writeUInt32BE(lengthBytes, 1);
  return prefix;
}

function nameOf(certificate: Certificate): string {
  const first = certificate.userIds[0]?.packet.body;
  return first === undefined
    ? ""
    : Buffer.from(first)
        .toString("utf8")
        .replaceAll(/\p{Cc}/gu, "?");
}
