import { Failure } from "../../base/index.ts";
import { openAuthority, type Authority } from "./authority.ts";
import { whileLocked } from "../own-files.ts";
import { findRecord, writeRecord, type IssuedCertificate } from "./register.ts";
import { applyRenewal } from "./renew.ts";
import type { RevocationReason } from "./revocation-list.ts";

export interface Revocation {
  /** Hexadecimal, upper case. */
  readonly serial: string;
  readonly reason: RevocationReason;
  readonly now: Date;
}

/** Revokes certificates of the register, and makes a new list that says so. One that is revoked already stays so. */
export async function revokeCertificates(
  authority: Authority,
  serials: readonly string[],
  { reason, now }: Omit<Revocation, "serial">,
): Promise<readonly IssuedCertificate[]> {
  return whileLocked(authority.folder, async () => {
    const revoked: IssuedCertificate[] = [];
    for (const serial of serials) revoked.push(await applyRevocation(authority, { serial, reason, now }));
    return revoked;
  });
}

/** The same of one, for who has the lock already. */
export async function applyRevocation(
  authority: Authority,
  { serial, reason, now }: Revocation,
): Promise<IssuedCertificate> {
  const { folder } = authority;
  const found = findRecord(folder, serial);
  if (found === undefined) {
    throw new Failure(
      "not-found",
      `cannot revoke "${serial}": no certificate with this serial number was issued here`,
      {
        hint: '"holdfast mail cert list" shows those that were',
      },
    );
  }
  const revoked = found.revoked === undefined ? { ...found, revoked: { at: now, reason } } : found;
  if (revoked !== found) await writeRecord(folder, revoked);
  await applyRenewal(openAuthority(folder), now);
  return revoked;
}
