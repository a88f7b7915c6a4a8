import * as fs from "node:fs";
import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import { hasIssuingKey, openAuthority, readIssuingKey, type Authority, type IssuingAuthority } from "./authority.ts";
import { keyIdOf } from "./certificate.ts";
import { publicMode, readBytes, readText, replaceFile, whileLocked } from "../own-files.ts";
import { encodePem, readPem } from "./pem.ts";
import { bundleName, rootListName } from "./places.ts";
import { readRevocations } from "./register.ts";
import {
  encodeRevocationList,
  listLimitBytes,
  readEntries,
  readRevocationList,
  type RevocationList,
  type RevokedEntry,
} from "./revocation-list.ts";
import { clockSkewMs, dayMs, leftDays, listDays, listRenewalDays } from "./validity.ts";

/**
 * Makes the revocation lists anew where one of them is due: a third of its time has gone, it cannot be read, or the
 * register has a revocation that it does not tell of. Needs the key of the issuing authority, and no passphrase.
 * Gives true where the bundle was written.
 */
export async function renewRevocationListIfDue(folder: string, now: Date): Promise<boolean> {
  if (!isDue(openAuthority(folder), now)) return false;
  return whileLocked(folder, async () => {
    const authority = openAuthority(folder);
    if (!isDue(authority, now)) return false; // another process was faster
    await applyRenewal(authority, now);
    return true;
  });
}

/** Makes the revocation lists anew, due or not. */
export async function renewRevocationList(folder: string, now: Date): Promise<void> {
  await whileLocked(folder, () => applyRenewal(openAuthority(folder), now));
}

function isDue(authority: Authority, now: Date): boolean {
  const lists = ownLists(authority);
  const known = new Set(lists.values().flatMap(({ revoked }) => revoked));
  if (readRevocations(authority.folder).some(({ serial }) => !known.has(serial))) return true;
  const ofRoot = lists.get(authority.root.serial)?.der ?? new Uint8Array();
  if (Buffer.compare(ofRoot, rootList(authority.folder)) !== 0) return true; // its key was used meanwhile
  return authority.issuing.some((issuer) => {
    const list = lists.get(issuer.certificate.serial);
    if (issuer !== authority.current && !hasIssuingKey(authority, issuer)) return false;
    return list === undefined || leftDays(list.nextUpdate, now) < listRenewalDays;
  });
}

/** For who has the lock already. */
export async function applyRenewal(authority: Authority, now: Date): Promise<void> {
  const { folder, issuing, root } = authority;
  const before = ownLists(authority);
  const revocations = readRevocations(folder);
  const authorities = issuing.map(({ certificate }) => encodePem("CERTIFICATE", certificate.der));
  const lists = issuing.flatMap((issuer) => {
    const last = before.get(issuer.certificate.serial);
    const isLeft = issuer !== authority.current && !hasIssuingKey(authority, issuer);
    const list = isLeft ? last?.der : newList(authority, issuer, { before: last, revocations, now });
    return list === undefined ? [] : [encodePem("X509 CRL", list)];
  });
  const ofRoot = encodePem("X509 CRL", rootList(folder));
  const parts = [...authorities, encodePem("CERTIFICATE", root.der), ...lists, ofRoot];
  await replaceFile(path.join(folder, bundleName), parts.join(""), publicMode);
}

function rootList(folder: string): Uint8Array {
  const file = path.join(folder, rootListName);
  const [block] = readPem(readText(file, { limitBytes: listLimitBytes }));
  if (block !== undefined) return block.bytes;
  throw new Failure("damaged", `cannot read "${file}": there is no revocation list in it`);
}

interface ListBasis {
  readonly before: RevocationList | undefined;
  readonly revocations: readonly RevokedEntry[];
  readonly now: Date;
}

/** What an earlier list told stays, whatever has become of the register. */
function newList(authority: Authority, issuer: IssuingAuthority, { before, revocations, now }: ListBasis): Uint8Array {
  const key = readIssuingKey(authority, issuer);
  const { certificate } = issuer;
  const entries = new Map(before === undefined ? [] : readEntries(before.der).map((entry) => [entry.serial, entry]));
  for (const entry of revocations) if (!entries.has(entry.serial)) entries.set(entry.serial, entry);
  const seconds = BigInt(Math.floor(now.getTime() / 1000)); // grows, even where the list before is lost
  const next = (before?.number ?? 0n) + 1n;
  return encodeRevocationList(
    {
      issuer: certificate.subject,
      issuerKeyId: keyIdOf(certificate.publicKey),
      number: next > seconds ? next : seconds,
      thisUpdate: new Date(now.getTime() - clockSkewMs),
      nextUpdate: new Date(now.getTime() + listDays * dayMs),
      entries: [...entries.values()],
    },
    key,
  );
}

/** The lists in the bundle that these authorities have signed, by the serial numbers of these; what cannot be read is left out. */
function ownLists({ folder, issuing, root }: Authority): ReadonlyMap<string, RevocationList> {
  const lists = new Map<string, RevocationList>();
  const file = path.join(folder, bundleName);
  if (!fs.existsSync(file)) return lists;
  const authorities = [...issuing.map(({ certificate }) => certificate), root];
  for (const { label, bytes } of readPem(readBytes(file, { limitBytes: 2 * listLimitBytes }).toString("latin1"))) {
    const list = label === "X509 CRL" ? attempt(() => readRevocationList(bytes, authorities)) : undefined;
    if (list !== undefined) lists.set(list.issuer.serial, list);
  }
  return lists;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
