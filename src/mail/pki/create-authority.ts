import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, systemReason } from "../../base/index.ts";
import { publicMode, replaceFile, secretMode } from "../own-files.ts";
import { openAuthority, type Authority } from "./authority.ts";
import { encodeCertificate, encodeName, keyIdOf, readCertificate, type DistinguishedName } from "./certificate.ts";
import { encryptKey } from "./encrypted-key.ts";
import { authorityExtension, authorityKeyExtension, keyUsageExtension, subjectKeyExtension } from "./extensions.ts";
import type { OwnNames } from "./name-constraints.ts";
import { newKey, newSerial, type KeyType } from "./new-key.ts";
import { encodePem } from "./pem.ts";
import { registerName, rootCertificateName, rootKeyName } from "./places.ts";
import { applyRenewal } from "./renew.ts";
import { addIssuing, writeRootList, type Root } from "./root.ts";
import { applyServer } from "./server-certificate.ts";
import { dayMs, rootYears, yearMs } from "./validity.ts";

const passphraseMinimum = 8;

export interface AuthorityRequest {
  /** Whose authority it is: the mail domain. */
  readonly organization: string;
  /** Of the root's key. */
  readonly passphrase: string;
  /** How often the passphrase is hashed: what trying one out costs. */
  readonly iterations?: number;
  readonly keyType: KeyType;
  /** Names and addresses for a first certificate of the server; none where it has one from elsewhere. */
  readonly hosts: readonly string[];
  /** For whom alone the issuing authority may issue; for everybody where absent. */
  readonly ownNames?: OwnNames;
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
  const encrypted = await encryptKey(privateKey, passphrase, request.iterations);
  await replaceFile(path.join(folder, rootKeyName), encrypted, secretMode);
  await replaceFile(path.join(folder, rootCertificateName), encodePem("CERTIFICATE", der), publicMode);
  const root: Root = { certificate: readCertificate(der), key: privateKey };
  await writeRootList(folder, root, { revoked: [], now });
  await addIssuing(folder, root, { ...request, number: 1 });
  const authority = openAuthority(folder);
  if (hosts.length > 0) await applyServer(authority, { hosts, now, key: keyType });
  await applyRenewal(authority, now);
}
