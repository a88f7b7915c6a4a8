import * as crypto from "node:crypto";
import {
  derContext,
  DerCursor,
  derInteger,
  derObjectId,
  derSequence,
  derSet,
  derTags,
  derTime,
  derUtf8String,
} from "../../bytes/der/index.ts";
import { readAltNames, type AltNames } from "./alt-names.ts";
import { encodeExtensions, hasKeyUsage, readExtensions, type Extension } from "./extensions.ts";
import { readConstraints, type NameConstraints } from "./name-constraints.ts";
import { objectIds } from "./object-ids.ts";
import { readSigned, signDer } from "./signature.ts";

/** A name of three parts, from the widest to the narrowest. */
export interface DistinguishedName {
  readonly organization?: string;
  readonly unit?: string;
  readonly commonName?: string;
}

/** RFC 5280, appendix A.1: ub-common-name and its kin. */
export const nameLimit = 64;

export function encodeName({ organization, unit, commonName }: DistinguishedName): Uint8Array {
  const parts: readonly (readonly [objectId: string, text: string | undefined])[] = [
    [objectIds.organizationName, organization],
    [objectIds.organizationalUnitName, unit],
    [objectIds.commonName, commonName],
  ];
  return derSequence(
    ...parts.flatMap(([objectId, text]) =>
      text === undefined ? [] : [derSet(derSequence(derObjectId(objectId), derUtf8String(text)))],
    ),
  );
}

export interface CertificateRequest {
  readonly serial: Uint8Array;
  readonly subject: DistinguishedName;
  /** Name of the issuer in DER. */
  readonly issuer: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: crypto.KeyObject;
  readonly extensions: readonly Extension[];
}

/** A certificate of version 3 in DER (RFC 5280 §4.1). */
export function encodeCertificate(request: CertificateRequest, issuerKey: crypto.KeyObject): Uint8Array {
  return signDer(issuerKey, (algorithm) =>
    derSequence(
      derContext(0, derInteger(2)),
      derInteger(request.serial),
      algorithm,
      request.issuer,
      derSequence(derTime(request.notBefore), derTime(request.notAfter)),
      encodeName(request.subject),
      publicKeyInfo(request.publicKey),
      derContext(3, encodeExtensions(request.extensions)),
    ),
  );
}

function publicKeyInfo(publicKey: crypto.KeyObject): Uint8Array {
  return publicKey.export({ format: "der", type: "spki" });
}

/** Which key it is: the first 160 bits of SHA-256 of its bits (RFC 7093 §2, method 1). */
export function keyIdOf(publicKey: crypto.KeyObject): Uint8Array {
  const info = new DerCursor(publicKeyInfo(publicKey), "a public key").enter(derTags.sequence);
  info.takeWhole();
  return crypto.createHash("sha256").update(info.takeBits()).digest().subarray(0, 20);
}

/** A certificate, as far as it matters here. */
export interface Certificate {
  readonly der: Uint8Array;
  /** Hexadecimal, upper case, without zeros in front. */
  readonly serial: string;
  /** In DER. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly subjectName: DistinguishedName;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: crypto.KeyObject;
  readonly isAuthority: boolean;
  /** How many authorities may stand between this one and a certificate of a user. */
  readonly pathLength: number;
  readonly canSignCertificates: boolean;
  readonly canSignLists: boolean;
  readonly isForClients: boolean;
  readonly altNames: AltNames;
  /** Of an authority: for whom it may issue. */
  readonly constraints: NameConstraints | undefined;
  readonly subjectKeyId: Uint8Array | undefined;
  readonly authorityKeyId: Uint8Array | undefined;
  /** Extensions that must be understood, and are not. */
  readonly unknownCritical: readonly string[];
  readonly isSignedBy: (key: crypto.KeyObject) => boolean;
}

/** Takes a certificate in DER apart. Throws `damaged`. */
export function readCertificate(der: Uint8Array, subject = "a certificate"): Certificate {
  const { content, isSignedBy } = readSigned(der, subject);
  content.enterIf(derTags.firstOfContext);
  const serial = serialText(content.take(derTags.integer));
  content.takeWhole(derTags.sequence); // the algorithm, again
  const issuer = content.takeWhole(derTags.sequence);
  const validity = content.enter(derTags.sequence);
  const [notBefore, notAfter] = [validity.takeTime(), validity.takeTime()];
  const name = content.takeWhole(derTags.sequence);
  const keyInfo = content.takeWhole(derTags.sequence);
  content.takeIf(0x81); // unique identifiers, of version 2
  content.takeIf(0x82);
  const list = content.enterIf(derTags.firstOfContext + 3)?.enter(derTags.sequence);
  const extensions = list === undefined ? new Map<string, Extension>() : readExtensions(list);
  const constrained = extensions.get(objectIds.nameConstraints);
  const constraints = constrained === undefined ? undefined : readConstraints(constrained, subject);
  return {
    der,
    serial,
    issuer,
    subject: name,
    subjectName: readName(name, subject),
    notBefore,
    notAfter,
    publicKey: readPublicKey(keyInfo, content),
    ...readUses(extensions, subject),
    altNames: readAltNames(extensions.get(objectIds.subjectAltName), subject),
    constraints,
    ...readKeyIds(extensions, subject),
    unknownCritical: unknownIn(extensions, constraints !== undefined),
    isSignedBy,
  };
}

const understood: ReadonlySet<string> = new Set([
  objectIds.keyUsage,
  objectIds.basicConstraints,
  objectIds.subjectAltName,
  objectIds.extKeyUsage,
  objectIds.authorityKeyIdentifier,
  objectIds.subjectKeyIdentifier,
]);

/** Extensions that must be heeded, and cannot be. */
function unknownIn(extensions: ReadonlyMap<string, Extension>, areConstraintsKnown: boolean): readonly string[] {
  return [...extensions.values()].flatMap(({ objectId, isCritical }) => {
    const isKnown = understood.has(objectId) || (objectId === objectIds.nameConstraints && areConstraintsKnown);
    return isCritical && !isKnown ? [objectId] : [];
  });
}

/** What the bytes of an INTEGER are as a serial number. */
export function serialText(content: Uint8Array): string {
  const digits = Buffer.from(content)
    .toString("hex")
    .toUpperCase()
    .replace(/^(00)+(?=..)/, "");
  return digits;
}

function readPublicKey(keyInfo: Uint8Array, content: DerCursor): crypto.KeyObject {
  try {
    return crypto.createPublicKey({ key: Buffer.from(keyInfo), format: "der", type: "spki" });
  } catch {
    throw content.damage("its public key cannot be read");
  }
}

function readName(name: Uint8Array, subject: string): DistinguishedName {
  const found: Record<string, string> = {};
  const sets = new DerCursor(name, subject).enter(derTags.sequence);
  while (!sets.isAtEnd) {
    const set = sets.enter(derTags.set);
    while (!set.isAtEnd) {
      const pair = set.enter(derTags.sequence);
      const objectId = pair.takeObjectId();
      const text = new DerCursor(pair.takeWhole(), subject);
      found[objectId] = Buffer.from(text.take(text.nextTag ?? 0)).toString("utf8");
    }
  }
  const part = <Key extends string>(key: Key, objectId: string) => {
    const text = found[objectId];
    return (text === undefined ? {} : { [key]: text }) as { readonly [K in Key]?: string };
  };
  return {
    ...part("organization", objectIds.organizationName),
    ...part("unit", objectIds.organizationalUnitName),
    ...part("commonName", objectIds.commonName),
  };
}

function readUses(extensions: ReadonlyMap<string, Extension>, subject: string) {
  const constraints = extensions.get(objectIds.basicConstraints);
  const usage = extensions.get(objectIds.keyUsage);
  const basic =
    constraints === undefined ? undefined : new DerCursor(constraints.value, subject).enter(derTags.sequence);
  const isAuthority = basic?.takeIf(derTags.boolean)?.[0] === 0xff;
  const pathLength = basic?.takeIf(derTags.integer);
  const may = (use: Parameters<typeof hasKeyUsage>[1]): boolean =>
    usage === undefined || hasKeyUsage(usage, use, subject);
  return {
    isAuthority,
    pathLength: pathLength === undefined ? Number.MAX_SAFE_INTEGER : Number(`0x${serialText(pathLength)}`),
    canSignCertificates: isAuthority && may("keyCertSign"),
    canSignLists: isAuthority && may("cRLSign"),
    isForClients: !isAuthority && may("digitalSignature") && hasClientPurpose(extensions, subject),
  };
}

/** Whoever names no purpose is for every one (RFC 5280 §4.2.1.12). */
function hasClientPurpose(extensions: ReadonlyMap<string, Extension>, subject: string): boolean {
  const purposes = extensions.get(objectIds.extKeyUsage);
  if (purposes === undefined) return true;
  const list = new DerCursor(purposes.value, subject).enter(derTags.sequence);
  const found: string[] = [];
  while (!list.isAtEnd) found.push(list.takeObjectId());
  return found.includes(objectIds.clientAuth) || found.includes(objectIds.anyExtendedKeyUsage);
}

function readKeyIds(extensions: ReadonlyMap<string, Extension>, subject: string) {
  const own = extensions.get(objectIds.subjectKeyIdentifier);
  const issuers = extensions.get(objectIds.authorityKeyIdentifier);
  return {
    subjectKeyId: own === undefined ? undefined : new DerCursor(own.value, subject).take(derTags.octetString),
    authorityKeyId:
      issuers === undefined ? undefined : new DerCursor(issuers.value, subject).enter(derTags.sequence).takeIf(0x80),
  };
}

/** SHA-256 of all of it, hexadecimal. */
export function fingerprintOf(der: Uint8Array): string {
  return crypto.createHash("sha256").update(der).digest("hex");
}

export function isSelfIssued({ issuer, subject }: Certificate): boolean {
  return Buffer.compare(issuer, subject) === 0;
}

/** By name, key identifier and signature. */
export function isIssuedBy(certificate: Certificate, authority: Certificate): boolean {
  if (Buffer.compare(certificate.issuer, authority.subject) !== 0) return false;
  const [wanted, has] = [certificate.authorityKeyId, authority.subjectKeyId];
  if (wanted !== undefined && has !== undefined && Buffer.compare(wanted, has) !== 0) return false;
  return certificate.isSignedBy(authority.publicKey);
}
