import type { KeyObject } from "node:crypto";
import { Failure } from "../../base/index.ts";
import { mailboxExtension } from "./alt-names.ts";
import type { Authority } from "./authority.ts";
import { nameLimit, type DistinguishedName } from "./certificate.ts";
import { extKeyUsageExtension } from "./extensions.ts";
import { registerCertificate } from "./issue-certificate.ts";
import { newKey, type KeyType } from "./new-key.ts";
import { whileLocked } from "../own-files.ts";
import { readRegister, type IssuedCertificate } from "./register.ts";
import { applyRevocation } from "./revoke.ts";

export interface ClientRequest {
  /** `joe@example.org` */
  readonly mailbox: string;
  readonly device: string;
  readonly keyType: KeyType;
  readonly days: number;
  readonly now: Date;
  /** Revokes an earlier certificate of the same device, once the new one is there. */
  readonly replace: boolean;
}

export interface IssuedKey {
  readonly issued: IssuedCertificate;
  readonly privateKey: KeyObject;
}

const devicePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/;

/** A key and certificate for a device of a user. It is in the register before it is here. */
export async function issueClient(authority: Authority, request: ClientRequest): Promise<IssuedKey> {
  const { privateKey, publicKey } = newKey(request.keyType);
  return { issued: await issueForKey(authority, publicKey, request), privateKey };
}

/** A certificate for a key that a device has made itself. */
export async function issueForKey(
  authority: Authority,
  publicKey: KeyObject,
  request: Omit<ClientRequest, "keyType">,
): Promise<IssuedCertificate> {
  const { device, replace, days, now } = request;
  const mailbox = parseMailbox(request.mailbox);
  if (!devicePattern.test(device)) {
    throw new Failure("usage", `cannot call a device "${device}": letters, digits, ".", "_" and "-" are allowed`);
  }
  return whileLocked(authority.folder, async () => {
    const earlier = validOf(authority.folder, mailbox, now).filter(({ name }) => name === device);
    if (earlier.length > 0 && !replace) {
      throw new Failure("exists", `cannot issue a certificate for "${device}" of ${mailbox}: it has one already`, {
        hint: "give --replace to revoke that one, or name another device",
      });
    }
    const subject: DistinguishedName = { unit: device, ...(mailbox.length > nameLimit ? {} : { commonName: mailbox }) };
    const extensions = [extKeyUsageExtension("clientAuth"), mailboxExtension(mailbox)];
    const issued = await registerCertificate(authority, publicKey, { subject, days, now, extensions });
    for (const { serial } of earlier) await applyRevocation(authority, { serial, reason: "superseded", now });
    return issued;
  });
}

/** Certificates of a user that are neither revoked nor past their end. */
export function validOf(folder: string, mailbox: string, now: Date): readonly IssuedCertificate[] {
  return readRegister(folder).filter(
    (one) => one.mailbox === mailbox && one.revoked === undefined && one.certificate.notAfter > now,
  );
}

/** `joe@example.org` in lower case. Throws `usage` where it is no address that a certificate can hold. */
export function parseMailbox(text: string): string {
  const mailbox = text.toLowerCase();
  if (/^[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?=.{1,253}$)[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(mailbox)) return mailbox;
  throw new Failure("usage", `cannot understand the mailbox "${text}"`, { hint: "such as joe@example.org" });
}
