import { createPublicKey, type KeyObject } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import { publicMode, readText, replaceFile, secretMode, whileLocked } from "../own-files.ts";
import { openAuthority, type Authority } from "./authority.ts";
import { encodeCertificate, keyIdOf, type Certificate } from "./certificate.ts";
import { readKey } from "./encrypted-key.ts";
import { authorityExtension, authorityKeyExtension, keyUsageExtension, subjectKeyExtension } from "./extensions.ts";
import { constraintsExtension, type OwnNames } from "./name-constraints.ts";
import { newKey, newSerial, type KeyType } from "./new-key.ts";
import { encodePem, readPem } from "./pem.ts";
import { issuingCertificateName, issuingKeyName, rootKeyName, rootListName, smallFileLimitBytes } from "./places.ts";
import { applyRenewal } from "./renew.ts";
import { encodeRevocationList, listLimitBytes, readEntries, type RevokedEntry } from "./revocation-list.ts";
import { clockSkewMs, dayMs, issuingYears, yearMs } from "./validity.ts";

/** The root with its key, which is seldom at hand. */
export interface Root {
  readonly certificate: Certificate;
  readonly key: KeyObject;
}

export interface RenewIssuerRequest {
  readonly passphrase: string;
  /** Where the root's key is, if not in the folder. */
  readonly rootKeyFile?: string;
  readonly keyType: KeyType;
  /** For whom alone the new one may issue; for everybody where absent. */
  readonly ownNames?: OwnNames;
  /** Revokes the issuing authority so far, and with it all that it has issued. */
  readonly revokeOld: boolean;
  readonly now: Date;
}

/** Has the root make a new issuing authority. What the one before has issued stays good, unless that is revoked. */
export async function renewIssuer(folder: string, request: RenewIssuerRequest): Promise<Authority> {
  const { passphrase, revokeOld, now } = request;
  const { root: certificate } = openAuthority(folder);
  const key = readRootKey(folder, certificate, passphrase, request.rootKeyFile);
  return whileLocked(folder, async () => {
    const { current, issuing } = openAuthority(folder);
    const root: Root = { certificate, key };
    await addIssuing(folder, root, { ...request, number: current.number + 1 });
    if (revokeOld) {
      const revoked = issuing.map(({ certificate: { serial } }): RevokedEntry => {
        return { serial, revokedAt: now, reason: "cACompromise" };
      });
      await writeRootList(folder, root, { revoked, now });
    }
    const renewed = openAuthority(folder);
    await applyRenewal(renewed, now);
    return renewed;
  });
}

function readRootKey(folder: string, root: Certificate, passphrase: string, given: string | undefined): KeyObject {
  const file = given ?? path.join(folder, rootKeyName);
  const hint = "where it was moved to, --root-key FILE says";
  const key = readKey(readText(file, { limitBytes: smallFileLimitBytes, hint }), passphrase, file);
  if (createPublicKey(key).equals(root.publicKey)) return key;
  throw new Failure("mismatch", `cannot use the key "${file}": it is not the one of the root`);
}

/**
 * The list of the root holds as long as the root itself: its key is away, and nobody else can renew it. What an earlier
 * list told stays.
 */
export async function writeRootList(
  folder: string,
  { certificate, key }: Root,
  { revoked, now }: { readonly revoked: readonly RevokedEntry[]; readonly now: Date },
): Promise<void> {
  const file = path.join(folder, rootListName);
  const entries = new Map(earlierEntries(file).map((entry) => [entry.serial, entry]));
  for (const entry of revoked) if (!entries.has(entry.serial)) entries.set(entry.serial, entry);
  const list = encodeRevocationList(
    {
      issuer: certificate.subject,
      issuerKeyId: keyIdOf(certificate.publicKey),
      number: BigInt(Math.floor(now.getTime() / 1000)),
      thisUpdate: new Date(now.getTime() - clockSkewMs),
      nextUpdate: certificate.notAfter,
      entries: [...entries.values()],
    },
    key,
  );
  await replaceFile(file, encodePem("X509 CRL", list), publicMode);
}

function earlierEntries(file: string): readonly RevokedEntry[] {
  if (!fs.existsSync(file)) return [];
  const [block] = readPem(readText(file, { limitBytes: listLimitBytes }));
  return block === undefined ? [] : readEntries(block.bytes, `the revocation list in "${file}"`);
}

interface IssuingRequest {
  readonly keyType: KeyType;
  readonly ownNames?: OwnNames;
  readonly number: number;
  readonly now: Date;
}

/** The key is there before the certificate, which is what counts. */
export async function addIssuing(folder: string, root: Root, request: IssuingRequest): Promise<void> {
  const { keyType, number, now, ownNames } = request;
  const { certificate, key } = root;
  const { privateKey, publicKey } = newKey(keyType);
  const { organization } = certificate.subjectName;
  const der = encodeCertificate(
    {
      serial: newSerial(),
      subject: { ...(organization === undefined ? {} : { organization }), commonName: `Mail issuer ${number}` },
      issuer: certificate.subject,
      notBefore: new Date(now.getTime() - dayMs),
      notAfter: new Date(Math.min(now.getTime() + issuingYears * yearMs, certificate.notAfter.getTime())),
      publicKey,
      extensions: [
        authorityExtension(0),
        keyUsageExtension("keyCertSign", "cRLSign"),
        subjectKeyExtension(keyIdOf(publicKey)),
        authorityKeyExtension(keyIdOf(certificate.publicKey)),
        ...(ownNames === undefined ? [] : [constraintsExtension(ownNames)]),
      ],
    },
    key,
  );
  const keyPem = encodePem("PRIVATE KEY", privateKey.export({ format: "der", type: "pkcs8" }));
  await replaceFile(path.join(folder, issuingKeyName(number)), keyPem, secretMode);
  await replaceFile(path.join(folder, issuingCertificateName(number)), encodePem("CERTIFICATE", der), publicMode);
}
