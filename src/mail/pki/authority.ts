import * as fs from "node:fs";
import * as path from "node:path";
import type { KeyObject } from "node:crypto";
import { Failure, isSystemError, systemReason } from "../../base/index.ts";
import { isIssuedBy, readCertificate, type Certificate } from "./certificate.ts";
import { readKey } from "./encrypted-key.ts";
import { readText } from "../own-files.ts";
import { encodePem, readPem } from "./pem.ts";
import {
  issuingCertificateName,
  issuingKeyName,
  issuingNumberOf,
  rootCertificateName,
  smallFileLimitBytes,
} from "./places.ts";

/** An authority below the root, which issues certificates and revocation lists in everyday life. */
export interface IssuingAuthority {
  readonly number: number;
  readonly certificate: Certificate;
}

/** A folder with certificates and keys of one's own authority; nothing in it is open. */
export interface Authority {
  readonly folder: string;
  readonly root: Certificate;
  /** From the oldest to the one that issues now. */
  readonly issuing: readonly IssuingAuthority[];
  readonly current: IssuingAuthority;
}

const initHint = 'make one with "holdfast mail init DOMAIN"';

/** Throws `not-found` where there is no authority in the folder. */
export function openAuthority(folder: string): Authority {
  const root = readCertificateFile(path.join(folder, rootCertificateName));
  const numbers = namesIn(folder).flatMap((name) => issuingNumberOf(name) ?? []);
  const issuing = numbers
    .toSorted((a, b) => a - b)
    .map((number) => ({
      number,
      certificate: readCertificateFile(path.join(folder, issuingCertificateName(number))),
    }));
  const current = issuing.at(-1);
  if (current === undefined) {
    throw new Failure("damaged", `cannot use the authority in "${folder}": there is no issuing-1.pem`);
  }
  return { folder, root, issuing, current };
}

function namesIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    const code = isSystemError(error, "ENOENT", "ENOTDIR") ? "not-found" : "failed";
    throw new Failure(code, `cannot read "${folder}": ${systemReason(error)}`, { cause: error, hint: initHint });
  }
}

function readCertificateFile(file: string): Certificate {
  const text = readText(file, { limitBytes: smallFileLimitBytes, hint: initHint });
  const block = readPem(text).find(({ label }) => label === "CERTIFICATE");
  if (block === undefined) throw new Failure("damaged", `cannot read "${file}": there is no certificate in it`);
  return readCertificate(block.bytes, `the certificate in "${file}"`);
}

/** The key with which an issuing authority signs. Throws `failed` where this user may not read it. */
export function readIssuingKey({ folder }: Authority, { number }: IssuingAuthority): KeyObject {
  const file = path.join(folder, issuingKeyName(number));
  return readKey(readText(file, { limitBytes: smallFileLimitBytes }), undefined, file);
}

/** Whether the key of an issuing authority is there: that of an older one may have been thrown away. */
export function hasIssuingKey({ folder }: Authority, { number }: IssuingAuthority): boolean {
  return fs.existsSync(path.join(folder, issuingKeyName(number)));
}

/** The certificates between one and the root, in PEM. */
export function chainPem({ issuing }: Authority, certificate: Certificate): string {
  const issuer = issuing.find((one) => isIssuedBy(certificate, one.certificate));
  return issuer === undefined ? "" : encodePem("CERTIFICATE", issuer.certificate.der);
}

export function rootPem({ root }: Authority): string {
  return encodePem("CERTIFICATE", root.der);
}
