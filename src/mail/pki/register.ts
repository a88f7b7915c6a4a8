import * as fs from "node:fs";
import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import { readCertificate, type Certificate } from "./certificate.ts";
import { publicMode, readText, replaceFile } from "../own-files.ts";
import { encodePem, readPem } from "./pem.ts";
import { recordPath, registerName, smallFileLimitBytes } from "./places.ts";
import { revocationReasons, type RevocationReason, type RevokedEntry } from "./revocation-list.ts";

/** A certificate that was issued, and what became of it. */
export interface IssuedCertificate {
  readonly certificate: Certificate;
  readonly serial: string;
  /** Of a user: the mailbox; else undefined. */
  readonly mailbox: string | undefined;
  /** Of a user: the device. Of a server: its first name. */
  readonly name: string;
  readonly revoked: { readonly at: Date; readonly reason: RevocationReason } | undefined;
}

/**
 * The register of an authority is a folder with a file for each certificate, written before the certificate is given
 * out. A revocation is a line in it, written before the list that tells of it: whenever this program is ended, the
 * list can be made from the register, which is all that counts.
 */
export async function writeRecord(folder: string, issued: IssuedCertificate): Promise<void> {
  const { certificate, mailbox, name, revoked } = issued;
  const lines = [
    mailbox === undefined ? `server: ${name}` : `mailbox: ${mailbox}`,
    ...(mailbox === undefined ? [] : [`device: ${name}`]),
    `valid: ${certificate.notBefore.toISOString()} to ${certificate.notAfter.toISOString()}`,
    ...(revoked === undefined ? [] : [`${revokedKey} ${revoked.at.toISOString()} ${revoked.reason}`]),
    "",
  ];
  const text = lines.join("\n") + encodePem("CERTIFICATE", certificate.der);
  await replaceFile(recordPath(folder, issued.serial), text, publicMode);
}

const revokedKey = "revoked:";

/** Every certificate that was issued, those first that begin first; of the same second those that were revoked. */
export function readRegister(folder: string): readonly IssuedCertificate[] {
  return serialsIn(folder)
    .map((serial) => readRecord(folder, serial))
    .toSorted((a, b) => orderOf(a) - orderOf(b));
}

function orderOf({ certificate, revoked }: IssuedCertificate): number {
  return certificate.notBefore.getTime() - (revoked === undefined ? 0 : 1);
}

/** One that was issued, by its serial number; undefined where none was. */
export function findRecord(folder: string, serial: string): IssuedCertificate | undefined {
  const isSerial = serialPattern.test(`${serial}.pem`);
  return isSerial && fs.existsSync(recordPath(folder, serial)) ? readRecord(folder, serial) : undefined;
}

const serialPattern = /^([0-9A-F]{2,40})\.pem$/;

function readRecord(folder: string, serial: string): IssuedCertificate {
  const file = recordPath(folder, serial);
  const text = readText(file, { limitBytes: smallFileLimitBytes });
  const [block] = readPem(text);
  if (block?.label !== "CERTIFICATE") {
    throw new Failure("damaged", `cannot read "${file}": there is no certificate in it`);
  }
  const certificate = readCertificate(block.bytes, `the certificate in "${file}"`);
  if (certificate.serial !== serial) {
    throw new Failure(
      "damaged",
      `cannot read "${file}": the certificate in it has the serial number ${certificate.serial}`,
    );
  }
  const [mailbox] = certificate.altNames.mailboxes;
  return { certificate, ...described(certificate, mailbox), revoked: readRevoked(text, file) };
}

/** What the register says of a new certificate. */
export function newRecord(der: Uint8Array): IssuedCertificate {
  const certificate = readCertificate(der);
  return { certificate, ...described(certificate, certificate.altNames.mailboxes[0]), revoked: undefined };
}

function described(certificate: Certificate, mailbox: string | undefined) {
  const { unit, commonName } = certificate.subjectName;
  return { serial: certificate.serial, mailbox, name: (mailbox === undefined ? commonName : unit) ?? "" };
}

function serialsIn(folder: string): readonly string[] {
  const names = fs.readdirSync(path.join(folder, registerName));
  return names.flatMap((name) => serialPattern.exec(name)?.[1] ?? []);
}

/** What was revoked, by the register alone: certificates are not looked at. */
export function readRevocations(folder: string): readonly RevokedEntry[] {
  return serialsIn(folder).flatMap((serial) => {
    const file = recordPath(folder, serial);
    const revoked = readRevoked(readText(file, { limitBytes: smallFileLimitBytes }), file);
    return revoked === undefined ? [] : [{ serial, revokedAt: revoked.at, reason: revoked.reason }];
  });
}

function readRevoked(text: string, file: string): IssuedCertificate["revoked"] {
  const line = text.split("\n").find((one) => one.startsWith(revokedKey));
  if (line === undefined) return undefined;
  const [time = "", reason = ""] = line.slice(revokedKey.length).trim().split(/\s+/);
  const at = new Date(time);
  if (Number.isNaN(at.getTime()) || !Object.hasOwn(revocationReasons, reason)) {
    throw new Failure("damaged", `cannot read "${file}": "${line}" does not say when and why`, {
      hint: "such as: revoked: 2026-11-30T18:00:00Z keyCompromise",
    });
  }
  return { at, reason: reason as RevocationReason };
}
