import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import { hostsExtension } from "./alt-names.ts";
import { chainPem, openAuthority, type Authority } from "./authority.ts";
import { nameLimit, readCertificate, type Certificate } from "./certificate.ts";
import { extKeyUsageExtension } from "./extensions.ts";
import { registerCertificate } from "./issue-certificate.ts";
import { newKey, type KeyType } from "./new-key.ts";
import { readText, replaceFile, secretMode, whileLocked } from "../own-files.ts";
import { encodePem, readPem } from "./pem.ts";
import { serverName, smallFileLimitBytes } from "./places.ts";
import type { IssuedCertificate } from "./register.ts";
import { leftDays, serverDays, serverRenewalDays } from "./validity.ts";

export interface ServerRequest {
  /** Names and addresses under which clients reach it. */
  readonly hosts: readonly string[];
  readonly now: Date;
  /** Else a new one of this type is made. */
  readonly key: KeyObject | KeyType;
}

/** Issues a certificate for the server, and puts it in its place, with its key. */
export async function issueServer(authority: Authority, request: ServerRequest): Promise<IssuedCertificate> {
  return whileLocked(authority.folder, () => applyServer(authority, request));
}

/** The same for who has the lock already. */
export async function applyServer(
  authority: Authority,
  { hosts, now, key }: ServerRequest,
): Promise<IssuedCertificate> {
  const [first] = hosts;
  if (first === undefined) throw new Failure("usage", "cannot issue a certificate for a server without a name");
  const privateKey = typeof key === "string" ? newKey(key).privateKey : key;
  const issued = await registerCertificate(authority, createPublicKey(privateKey), {
    // An address as a name would be taken for that of a host.
    subject: first.length > nameLimit || net.isIP(first) !== 0 ? {} : { commonName: first },
    days: serverDays,
    now,
    extensions: [extKeyUsageExtension("serverAuth"), hostsExtension(hosts)],
  });
  const keyPem = encodePem("PRIVATE KEY", privateKey.export({ format: "der", type: "pkcs8" }));
  const text = keyPem + encodePem("CERTIFICATE", issued.certificate.der) + chainPem(authority, issued.certificate);
  await replaceFile(path.join(authority.folder, serverName), text, secretMode);
  return issued;
}

/** The certificate of the server in an authority's folder; undefined where there is none. */
export function serverCertificate(folder: string): Certificate | undefined {
  const file = path.join(folder, serverName);
  if (!fs.existsSync(file)) return undefined;
  const block = readPem(readText(file, { limitBytes: smallFileLimitBytes })).find(
    ({ label }) => label === "CERTIFICATE",
  );
  return block === undefined ? undefined : readCertificate(block.bytes, `the certificate in "${file}"`);
}

/** Renews the server's certificate, for the same names and the same key, where two months of it are left. Gives true where it did. */
export async function renewServerCertificateIfDue(folder: string, now: Date): Promise<boolean> {
  if (!isServerDue(folder, now)) return false;
  return whileLocked(folder, async () => {
    const certificate = serverCertificate(folder);
    if (certificate === undefined || !isServerDue(folder, now)) return false;
    const { hosts, addresses } = certificate.altNames;
    const key = createPrivateKey(readText(path.join(folder, serverName), { limitBytes: smallFileLimitBytes }));
    await applyServer(openAuthority(folder), { hosts: [...hosts, ...addresses], now, key });
    return true;
  });
}

function isServerDue(folder: string, now: Date): boolean {
  const certificate = serverCertificate(folder);
  return certificate !== undefined && leftDays(certificate.notAfter, now) < serverRenewalDays;
}
