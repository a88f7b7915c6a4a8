import type * as crypto from "node:crypto";
import { createAuthority, type Authority, type OwnNames } from "../../../src/mail/pki/index.ts";
import { mailboxExtension } from "../../../src/mail/pki/alt-names.ts";
import { encodeCertificate, encodeName, type CertificateRequest } from "../../../src/mail/pki/certificate.ts";
import {
  authorityExtension,
  extKeyUsageExtension,
  keyUsageExtension,
  noAuthorityExtension,
} from "../../../src/mail/pki/extensions.ts";
import { newKey, newSerial } from "../../../src/mail/pki/new-key.ts";

/** Noon of a day from which tests count. */
export const day = (number: number): Date => new Date(Date.UTC(2026, 10, 30 + number, 12));

export const passphrase = "correct horse battery";

/** An authority of example.org, as `mail init` makes it. */
export function sampleAuthority(folder: string, now = day(0), ownNames?: OwnNames): Promise<Authority> {
  return createAuthority(folder, {
    organization: "example.org",
    passphrase,
    iterations: 1000, // enough to be read again
    keyType: "ec-p256",
    hosts: ["mail.example.org", "localhost", "127.0.0.1", "::1"],
    ...(ownNames === undefined ? {} : { ownNames, hosts: [] }),
    now,
  });
}

export interface MadeCertificate {
  readonly der: Uint8Array;
  readonly privateKey: crypto.KeyObject;
  readonly name: Uint8Array;
}

/** A certificate as nobody of good sense would issue it. */
export function madeCertificate(
  changes: Partial<CertificateRequest>,
  issuer?: { readonly privateKey: crypto.KeyObject; readonly name: Uint8Array },
): MadeCertificate {
  const { privateKey, publicKey } = newKey("ec-p256");
  const subject = changes.subject ?? { organization: "elsewhere", commonName: "joe@example.org" };
  const name = encodeName(subject);
  const request: CertificateRequest = {
    serial: newSerial(),
    subject,
    issuer: issuer?.name ?? name,
    notBefore: day(0),
    notAfter: day(100),
    publicKey,
    extensions: [
      noAuthorityExtension(),
      keyUsageExtension("digitalSignature"),
      extKeyUsageExtension("clientAuth"),
      mailboxExtension("joe@example.org"),
    ],
    ...changes,
  };
  return { der: encodeCertificate(request, issuer?.privateKey ?? privateKey), privateKey, name };
}

/** An authority of somebody else. */
export function madeAuthority(commonName: string, issuer?: MadeCertificate, pathLength = 3): MadeCertificate {
  const extensions = [authorityExtension(pathLength), keyUsageExtension("keyCertSign", "cRLSign")];
  return madeCertificate({ subject: { organization: "elsewhere", commonName }, extensions }, issuer);
}
