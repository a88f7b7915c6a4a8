import type { KeyObject } from "node:crypto";
import { Failure } from "../../base/index.ts";
import { readAltNames } from "./alt-names.ts";
import { readIssuingKey, type Authority } from "./authority.ts";
import { encodeCertificate, keyIdOf, type Certificate, type DistinguishedName } from "./certificate.ts";
import {
  authorityKeyExtension,
  keyUsageExtension,
  noAuthorityExtension,
  subjectKeyExtension,
  type Extension,
} from "./extensions.ts";
import { forbiddenName } from "./name-constraints.ts";
import { newSerial } from "./new-key.ts";
import { objectIds } from "./object-ids.ts";
import { newRecord, writeRecord, type IssuedCertificate } from "./register.ts";
import { clockSkewMs, dateOf, dayMs } from "./validity.ts";

export interface NewCertificate {
  readonly subject: DistinguishedName;
  readonly days: number;
  readonly now: Date;
  readonly extensions: readonly Extension[];
}

/** Issues a certificate, in the register before it is here. For who has the folder's lock. */
export async function registerCertificate(
  authority: Authority,
  publicKey: KeyObject,
  made: NewCertificate,
): Promise<IssuedCertificate> {
  const { current } = authority;
  const { certificate: issuer } = current;
  const { days, now, subject, extensions } = made;
  if (issuer.notAfter <= now) {
    throw new Failure(
      "refused",
      `cannot issue certificates: the issuing authority has ended on ${dateOf(issuer.notAfter)}`,
      {
        hint: '"holdfast mail cert renew-issuer" makes a new one with the key of the root',
      },
    );
  }
  refuseForbidden(issuer, extensions);
  const isRsa = publicKey.asymmetricKeyType === "rsa";
  const der = encodeCertificate(
    {
      serial: newSerial(),
      subject: {
        ...(issuer.subjectName.organization === undefined ? {} : { organization: issuer.subjectName.organization }),
        ...subject,
      },
      issuer: issuer.subject,
      notBefore: new Date(now.getTime() - clockSkewMs),
      notAfter: new Date(Math.min(now.getTime() + days * dayMs, issuer.notAfter.getTime())),
      publicKey,
      extensions: [
        noAuthorityExtension(),
        isRsa ? keyUsageExtension("digitalSignature", "keyEncipherment") : keyUsageExtension("digitalSignature"),
        subjectKeyExtension(keyIdOf(publicKey)),
        authorityKeyExtension(keyIdOf(issuer.publicKey)),
        ...extensions,
      ],
    },
    readIssuingKey(authority, current),
  );
  const issued = newRecord(der);
  await writeRecord(authority.folder, issued);
  return issued;
}

/** Nobody would accept what the root has not allowed the issuing authority to issue. */
function refuseForbidden({ constraints }: Certificate, extensions: readonly Extension[]): void {
  const names = extensions.find(({ objectId }) => objectId === objectIds.subjectAltName);
  const forbidden =
    constraints === undefined ? undefined : forbiddenName(readAltNames(names, "new names"), constraints);
  if (forbidden === undefined) return;
  throw new Failure("refused", `cannot issue a certificate for "${forbidden}": the issuing authority may not`, {
    hint: '"holdfast mail cert renew-issuer --host NAME" makes one that may, with the key of the root',
  });
}
