import type { KeyObject } from "node:crypto";
import { derContext, DerCursor, derInteger, derSequence, derTags, derTime } from "../../bytes/der/index.ts";
import { Failure } from "../../base/index.ts";
import { serialText, type Certificate } from "./certificate.ts";
import { authorityKeyExtension, encodeExtensions, readExtensions, type Extension } from "./extensions.ts";
import { objectIds } from "./object-ids.ts";
import { listOfPart, readSerials } from "./revoked-serials.ts";
import { readSigned, signDer } from "./signature.ts";

/** Why a certificate was revoked (RFC 5280 §5.3.1), as far as it is of use here, with the numbers of it. */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const;
export type RevocationReason = keyof typeof revocationReasons;

export interface RevokedEntry {
  /** Hexadecimal. */
  readonly serial: string;
  readonly revokedAt: Date;
  readonly reason: RevocationReason;
}

export interface RevocationListRequest {
  /** Name of the issuer in DER. */
  readonly issuer: Uint8Array;
  readonly issuerKeyId: Uint8Array;
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly entries: readonly RevokedEntry[];
}

/** A revocation list of version 2 in DER (RFC 5280 §5.1). */
export function encodeRevocationList(request: RevocationListRequest, issuerKey: KeyObject): Uint8Array {
  const { issuer, issuerKeyId, number, thisUpdate, nextUpdate, entries } = request;
  const numbered: Extension = { objectId: objectIds.cRLNumber, isCritical: false, value: derInteger(number) };
  return signDer(issuerKey, (algorithm) =>
    derSequence(
      derInteger(1),
      algorithm,
      issuer,
      derTime(thisUpdate),
      derTime(nextUpdate),
      ...(entries.length === 0 ? [] : [derSequence(Buffer.concat(entries.map(encodeEntry)))]), // absent where there are none
      derContext(0, encodeExtensions([authorityKeyExtension(issuerKeyId), numbered])),
    ),
  );
}

function encodeEntry({ serial, revokedAt, reason }: RevokedEntry): Uint8Array {
  const code = revocationReasons[reason];
  const value = Uint8Array.of(derTags.enumerated, 1, code);
  const extensions =
    code === 0 ? [] : [encodeExtensions([{ objectId: objectIds.reasonCode, isCritical: false, value }])];
  return derSequence(derInteger(Buffer.from(serial, "hex")), derTime(revokedAt), ...extensions);
}

/** A revocation list whose signature was verified. */
export interface RevocationList {
  readonly der: Uint8Array;
  readonly issuer: Certificate;
  /** Undefined where it has none, as those of version 1. */
  readonly number: bigint | undefined;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly revoked: ReadonlySet<string>;
}

/** What one list may take; some thirty bytes an entry are usual. */
export const listLimitBytes = 64 * 1024 * 1024;

/**
 * Takes a list apart that one of these authorities has signed. Its entries are looked at only once the signature is
 * known to be good. Throws `damaged`, `mismatch` where none has signed it, `unsupported` where it tells of a part only.
 */
export function readRevocationList(
  der: Uint8Array,
  authorities: readonly Certificate[],
  subject = "a revocation list",
): RevocationList {
  const head = readHead(der, subject);
  const issuer = authorities.find(
    (one) => one.canSignLists && Buffer.compare(one.subject, head.issuer) === 0 && head.isSignedBy(one.publicKey),
  );
  if (issuer === undefined) {
    throw new Failure("mismatch", `cannot use ${subject}: none of the known authorities has signed it`, {
      hint: "the certificate of its authority must be there too",
    });
  }
  const revoked = head.entries === undefined ? new Set<string>() : readSerials(head.entries, subject);
  const { number, thisUpdate, nextUpdate } = head;
  return { der, issuer, number, thisUpdate, nextUpdate, revoked };
}

/** All that a list's entries say. For lists of our own, as it reads every date. */
export function readEntries(der: Uint8Array, subject = "a revocation list"): readonly RevokedEntry[] {
  const { entries } = readHead(der, subject);
  const found: RevokedEntry[] = [];
  for (const entry of itemsOf(entries)) {
    const serial = serialText(entry.take(derTags.integer));
    const revokedAt = entry.takeTime();
    const list = entry.enterIf(derTags.sequence);
    const code = list === undefined ? undefined : readExtensions(list).get(objectIds.reasonCode)?.value[2];
    const known = Object.entries(revocationReasons).find(([, number]) => number === code);
    found.push({ serial, revokedAt, reason: (known?.[0] ?? "unspecified") as RevocationReason });
  }
  return found;
}

/** The sequences in a SEQUENCE OF them, which may be left out. */
function* itemsOf(list: DerCursor | undefined): Generator<DerCursor> {
  if (list === undefined) return;
  while (!list.isAtEnd) yield list.enter(derTags.sequence);
}

function readHead(der: Uint8Array, subject: string) {
  if (der.length > listLimitBytes) {
    throw new Failure("unsupported", `cannot read ${subject}: it has ${der.length} bytes, at most ${listLimitBytes}`);
  }
  const { content, isSignedBy } = readSigned(der, subject);
  content.takeIf(derTags.integer); // the version
  content.takeWhole(derTags.sequence); // the algorithm, again
  const issuer = content.takeWhole(derTags.sequence);
  const thisUpdate = content.takeTime();
  if (content.nextTag !== derTags.utcTime && content.nextTag !== derTags.generalizedTime) {
    throw content.damage("it does not say until when it holds"); // RFC 5280 §5.1.2.5 wants it
  }
  const nextUpdate = content.takeTime();
  const entries = content.enterIf(derTags.sequence);
  const list = content.enterIf(derTags.firstOfContext)?.enter(derTags.sequence);
  content.expectEnd();
  const extensions = list === undefined ? new Map<string, Extension>() : readExtensions(list);
  const unknown = [...extensions.values()].find(({ isCritical }) => isCritical);
  if (unknown !== undefined) throw listOfPart(subject, unknown.objectId);
  const numbered = extensions.get(objectIds.cRLNumber);
  const digits = numbered === undefined ? undefined : new DerCursor(numbered.value, subject).take(derTags.integer);
  const number = digits === undefined ? undefined : BigInt(`0x0${serialText(digits)}`);
  return { issuer, thisUpdate, nextUpdate, entries, number, isSignedBy };
}
