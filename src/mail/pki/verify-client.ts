import type { CertificateHolder } from "../connection.ts";
import type { AltNames } from "./alt-names.ts";
import type { Bundle, TrustedAuthority } from "./bundle.ts";
import { fingerprintOf, isIssuedBy, isSelfIssued, readCertificate, type Certificate } from "./certificate.ts";
import { forbiddenName } from "./name-constraints.ts";

/** Why a certificate is not accepted, in words for the audit. */
export type RefusalReason =
  | "no certificate"
  | "not readable"
  | "self-signed"
  | "unknown authority"
  | "authority expired"
  | "authority revoked"
  | "not yet valid"
  | "expired"
  | "revoked"
  | "no revocation list"
  | "revocation list expired"
  | "not for clients"
  | "no mailbox in it"
  | "several mailboxes in it"
  | "mailbox forbidden to its authority";

export type Verdict =
  | { readonly holder: CertificateHolder; readonly certificate: Certificate; readonly refusal?: undefined }
  | { readonly holder?: undefined; readonly refusal: RefusalReason };

export interface VerifyOptions {
  /** Accepts lists past their end as if they still held; what they revoke stays revoked. */
  readonly acceptExpiredLists?: boolean;
}

/** Decides whose certificate it is, or why it is nobody's. Throws nothing. */
export function verifyClient(
  der: Uint8Array | undefined,
  at: Date,
  bundle: Bundle,
  options: VerifyOptions = {},
): Verdict {
  if (der === undefined || der.length === 0) return { refusal: "no certificate" };
  const certificate = readable(der);
  if (certificate === undefined) return { refusal: "not readable" };
  const authority = bundle.authorities.find((one) => isIssuedBy(certificate, one.certificate));
  if (authority === undefined) {
    return { refusal: isSelfIssued(certificate) ? "self-signed" : "unknown authority" };
  }
  const refusal =
    refusalOfAuthority(authority, at, options) ??
    refusalOfTime(certificate, at) ??
    refusalOfList(certificate, authority, at, options) ??
    refusalOfUse(certificate) ??
    refusalOfNames(certificate.altNames, authority);
  if (refusal !== undefined) return { refusal };
  const mailbox = certificate.altNames.mailboxes[0]?.toLowerCase() ?? "";
  const holder = { mailbox, serial: certificate.serial, fingerprint: fingerprintOf(der) };
  return { holder, certificate };
}

function readable(der: Uint8Array): Certificate | undefined {
  try {
    return readCertificate(der);
  } catch {
    return undefined;
  }
}

function refusalOfAuthority(
  { certificate, issuer }: TrustedAuthority,
  at: Date,
  options: VerifyOptions,
): RefusalReason | undefined {
  if (refusalOfTime(certificate, at) !== undefined) return "authority expired";
  if (issuer === undefined) return undefined;
  const byList = refusalOfList(certificate, issuer, at, options);
  if (byList !== undefined) return byList === "revoked" ? "authority revoked" : byList;
  return refusalOfAuthority(issuer, at, options);
}

function refusalOfTime({ notBefore, notAfter }: Certificate, at: Date): RefusalReason | undefined {
  if (at < notBefore) return "not yet valid";
  return at > notAfter ? "expired" : undefined;
}

function refusalOfList(
  { serial }: Certificate,
  { list }: TrustedAuthority,
  at: Date,
  { acceptExpiredLists = false }: VerifyOptions,
): RefusalReason | undefined {
  if (list === undefined) return "no revocation list";
  if (list.revoked.has(serial)) return "revoked";
  return at > list.nextUpdate && !acceptExpiredLists ? "revocation list expired" : undefined;
}

function refusalOfUse({ isForClients, unknownCritical, altNames }: Certificate): RefusalReason | undefined {
  if (!isForClients || unknownCritical.length > 0) return "not for clients";
  if (altNames.mailboxes.length > 1) return "several mailboxes in it";
  return altNames.mailboxes[0]?.includes("@") === true ? undefined : "no mailbox in it";
}

function refusalOfNames(altNames: AltNames, authority: TrustedAuthority): RefusalReason | undefined {
  const { constraints } = authority.certificate;
  if (constraints !== undefined && forbiddenName(altNames, constraints) !== undefined) {
    return "mailbox forbidden to its authority";
  }
  return authority.issuer === undefined ? undefined : refusalOfNames(altNames, authority.issuer);
}
