import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import { isIssuedBy, isSelfIssued, readCertificate, type Certificate } from "./certificate.ts";
import { readBytes } from "../own-files.ts";
import { encodePem, readPem } from "./pem.ts";
import { bundleName } from "./places.ts";
import { listLimitBytes, readRevocationList, type RevocationList } from "./revocation-list.ts";

/** An authority whose certificates are accepted, with the path from it to a root. */
export interface TrustedAuthority {
  readonly certificate: Certificate;
  /** The newest list that it has signed. */
  readonly list: RevocationList | undefined;
  /** Who issued it; undefined of a root. */
  readonly issuer: TrustedAuthority | undefined;
}

/** All that decides about certificates, read once. */
export interface Bundle {
  readonly authorities: readonly TrustedAuthority[];
  /** The certificates as TLS libraries take them. */
  readonly certificatesPem: readonly string[];
}

export interface BundleOptions {
  /** Files with authorities and revocation lists from elsewhere: PEM, or DER of one list or certificate. */
  readonly others?: readonly string[];
  /** False: only the authorities in `others` count, and the folder is not read. */
  readonly own?: boolean;
}

export interface BundleFile {
  /** Its name, for messages. */
  readonly file: string;
  readonly bytes: Buffer;
}

const fileLimitBytes = 2 * listLimitBytes;
const authoritiesLimit = 1000;

/**
 * Reads the authorities and revocation lists of a folder, and of files from elsewhere. Each authority's path to a root
 * and each list's signature was verified when this returns. Throws `damaged`, `mismatch` or `unsupported` for whatever
 * cannot be relied on: who has a bundle already then keeps that.
 */
export function loadBundle(folder: string, { others = [], own = true }: BundleOptions = {}): Bundle {
  const files = [...(own ? [path.join(folder, bundleName)] : []), ...others];
  return readBundle(files.map((file) => ({ file, bytes: readBytes(file, { limitBytes: fileLimitBytes }) })));
}

/** The same of files that were read already, perhaps by a process that may read more. */
export function readBundle(files: readonly BundleFile[]): Bundle {
  const certificates = new Map<string, Certificate>();
  const lists: { readonly der: Uint8Array; readonly subject: string }[] = [];
  for (const { file, bytes: content } of files) {
    for (const { label, bytes } of blocksOf(file, content)) {
      if (label === "X509 CRL" || label === "CRL")
        lists.push({ der: bytes, subject: `the revocation list in "${file}"` });
      else if (label === "CERTIFICATE" || label === "TRUSTED CERTIFICATE") {
        certificates.set(Buffer.from(bytes).toString("base64"), readCertificate(bytes, `a certificate in "${file}"`));
      }
    }
  }
  if (certificates.size > authoritiesLimit) {
    throw new Failure("unsupported", `cannot use ${certificates.size} authorities: at most ${authoritiesLimit}`);
  }
  return bundleOf([...certificates.values()], lists);
}

function bundleOf(
  certificates: readonly Certificate[],
  lists: readonly { readonly der: Uint8Array; readonly subject: string }[],
): Bundle {
  const read = lists.map(({ der, subject }) => readRevocationList(der, certificates, subject));
  const newest = new Map<Certificate, RevocationList>();
  for (const list of read) {
    const before = newest.get(list.issuer);
    if (before === undefined || isNewer(list, before)) newest.set(list.issuer, list);
  }
  const authorities = certificates.flatMap((one) => trust(one, certificates, newest) ?? []);
  if (authorities.length === 0) {
    throw new Failure("mismatch", "cannot use the authorities: none of them is a root, or was issued by one", {
      hint: "the certificate of the root must be there too",
    });
  }
  return {
    authorities,
    certificatesPem: authorities.map(({ certificate }) => encodePem("CERTIFICATE", certificate.der)),
  };
}

function isNewer(list: RevocationList, before: RevocationList): boolean {
  if (list.number !== undefined && before.number !== undefined) return list.number > before.number;
  return list.thisUpdate > before.thisUpdate;
}

/** Longer paths than this are found nowhere. */
const pathLimit = 8;

/** Follows the path from an authority to a root; undefined where there is none, or it may not issue. */
function trust(
  certificate: Certificate,
  all: readonly Certificate[],
  lists: ReadonlyMap<Certificate, RevocationList>,
  below = 0,
): TrustedAuthority | undefined {
  const { canSignCertificates, pathLength, unknownCritical } = certificate;
  if (!canSignCertificates || pathLength < below || below > pathLimit) return undefined;
  if (unknownCritical.length > 0) return undefined;
  const list = lists.get(certificate);
  if (isSelfIssued(certificate)) {
    return certificate.isSignedBy(certificate.publicKey) ? { certificate, list, issuer: undefined } : undefined;
  }
  for (const one of all) {
    if (!isIssuedBy(certificate, one)) continue;
    const issuer = trust(one, all, lists, below + 1);
    if (issuer !== undefined) return { certificate, list, issuer };
  }
  return undefined;
}

function blocksOf(file: string, bytes: Buffer) {
  const blocks = readPem(bytes.toString("latin1"));
  if (blocks.length > 0) return blocks;
  if (bytes[0] !== 0x30) {
    throw new Failure("damaged", `cannot read "${file}": it has neither certificates nor revocation lists in it`);
  }
  return [{ label: isCertificate(bytes) ? "CERTIFICATE" : "X509 CRL", bytes }];
}

function isCertificate(der: Uint8Array): boolean {
  try {
    readCertificate(der);
    return true;
  } catch {
    return false;
  }
}
