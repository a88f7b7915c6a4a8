import type { KeyObject } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, systemReason } from "../../base/index.ts";
import { openAuthority, type Authority } from "./authority.ts";
import { encodeCertificate, encodeName, keyIdOf, type DistinguishedName } from "./certificate.ts";
import { encryptKey } from "./encrypted-key.ts";
import { authorityExtension, authorityKeyExtension, keyUsageExtension, subjectKeyExtension } from "./extensions.ts";
import { newKey, newSerial, type KeyType } from "./new-key.ts";
import { publicMode, replaceFile, secretMode } from "./own-files.ts";
import { encodePem } from "./pem.ts";
import {
  issuingCertificateName,
  issuingKeyName,
  registerName,
  rootCertificateName,
  rootKeyName,
  rootListName,
} from "./places.ts";
import { applyRenewal } from "./renew.ts";
import { applyServer } from "./server-certificate.ts";
import { dayMs } from "./validity.ts";
import { encodeRevocationList } from "./revocation-list.ts";

const yearMs = 365.25 * dayMs;
const rootYears = 20;
const issuingYears = 10;
export const passphraseMinimum = 8;

export interface AuthorityRequest {
  /** Whose authority it is: the mail domain. */
  readonly organization: string;
  /** Of the root's key. */
  readonly passphrase: string;
  readonly keyType: KeyType;
  /** Names and addresses for a first certificate of the server; none where it has one from elsewhere. */
  readonly hosts: readonly string[];
  readonly now: Date;
}

/**
 * Makes a root, an issuing authority below it, a certificate for the server, and the bundle. The folder is there with
 * all of it, or not at all. Throws `exists` where there is one already.
 */
export async function createAuthority(folder: string, request: AuthorityRequest): Promise<Authority> {
  if (request.passphrase.length < passphraseMinimum) {
    throw new Failure("usage", `cannot use this passphrase: it has less than ${passphraseMinimum} characters`);
  }
  if (fs.existsSync(folder)) {
    throw new Failure("exists", `cannot make an authority in "${folder}": it is there already`);
  }
  const made = makeFolder(folder);
  try {
    await fill(made, request);
    fs.chmodSync(made, 0o755);
    fs.renameSync(made, folder);
  } catch (error) {
    fs.rmSync(made, { recursive: true, force: true });
    throw error;
  }
  return openAuthority(folder);
}

function makeFolder(folder: string): string {
  try {
    fs.mkdirSync(path.dirname(folder), { recursive: true, mode: 0o755 });
    return fs.mkdtempSync(`${folder}.new-`);
  } catch (error) {
    throw new Failure("failed", `cannot make "${folder}": ${systemReason(error)}`, { cause: error });
  }
}

async function fill(folder: string, request: AuthorityRequest): Promise<void> {
  const { organization, passphrase, keyType, now, hosts } = request;
  const { privateKey, publicKey } = newKey(keyType);
  const name: DistinguishedName = { organization, commonName: "Mail root" };
  const notAfter = new Date(now.getTime() + rootYears * yearMs);
  const keyId = keyIdOf(publicKey);
  const der = encodeCertificate(
    {
      serial: newSerial(),
      subject: name,
      issuer: encodeName(name),
      notBefore: new Date(now.getTime() - dayMs),
      notAfter,
      publicKey,
      extensions: [
        authorityExtension(1),
        keyUsageExtension("keyCertSign", "cRLSign"),
        subjectKeyExtension(keyId),
        authorityKeyExtension(keyId),
      ],
    },
    privateKey,
  );
  fs.mkdirSync(path.join(folder, registerName), { mode: 0o755 });
  await replaceFile(path.join(folder, rootKeyName), await encryptKey(privateKey, passphrase), secretMode);
  await replaceFile(path.join(folder, rootCertificateName), encodePem("CERTIFICATE", der), publicMode);
  const root: Root = { name: encodeName(name), key: privateKey, keyId, notAfter };
  await writeRootList(folder, root, now);
  await addIssuing(folder, root, { organization, keyType, number: 1, now });
  const authority = openAuthority(folder);
  if (hosts.length > 0) await applyServer(authority, { hosts, now, key: keyType });
  await applyRenewal(authority, now);
}

interface Root {
  readonly name: Uint8Array;
  readonly key: KeyObject;
  readonly keyId: Uint8Array;
  readonly notAfter: Date;
}

/** The list of the root holds as long as the root itself: its key is away, and nobody else can renew it. */
async function writeRootList(folder: string, root: Root, now: Date): Promise<void> {
  const list = encodeRevocationList(
    {
      issuer: root.name,
      issuerKeyId: root.keyId,
      number: BigInt(Math.floor(now.getTime() / 1000)),
      thisUpdate: now,
      nextUpdate: root.notAfter,
      entries: [],
    },
    root.key,
  );
  await replaceFile(path.join(folder, rootListName), encodePem("X509 CRL", list), publicMode);
}

interface IssuingRequest {
  readonly organization: string;
  readonly keyType: KeyType;
  readonly number: number;
  readonly now: Date;
}

/** The key is there before the certificate, which is what counts. */
async function addIssuing(folder: string, root: Root, request: IssuingRequest): Promise<void> {
  const { organization, keyType, number, now } = request;
  const { privateKey, publicKey } = newKey(keyType);
  const der = encodeCertificate(
    {
      serial: newSerial(),
      subject: { organization, commonName: `Mail issuer ${number}` },
      issuer: root.name,
      notBefore: new Date(now.getTime() - dayMs),
      notAfter: new Date(Math.min(now.getTime() + issuingYears * yearMs, root.notAfter.getTime())),
      publicKey,
      extensions: [
        authorityExtension(0),
        keyUsageExtension("keyCertSign", "cRLSign"),
        subjectKeyExtension(keyIdOf(publicKey)),
        authorityKeyExtension(root.keyId),
      ],
    },
    root.key,
  );
  const keyPem = encodePem("PRIVATE KEY", privateKey.export({ format: "der", type: "pkcs8" }));
  await replaceFile(path.join(folder, issuingKeyName(number)), keyPem, secretMode);
  await replaceFile(path.join(folder, issuingCertificateName(number)), encodePem("CERTIFICATE", der), publicMode);
}
