import * as path from "node:path";

/** What an authority's folder holds, by name. */
export const rootCertificateName = "root.pem";
export const rootKeyName = "root.key";
/** The root's own revocation list, which only its key can make anew. */
export const rootListName = "root.crl";
/** Key and certificates of the server, in one file so that they always fit each other. */
export const serverName = "server.pem";
/** All authorities and their revocation lists, as Dovecot and nginx read them. */
export const bundleName = "bundle.pem";
/** A file for each certificate that was ever issued. */
export const registerName = "certificates";

export function issuingCertificateName(number: number): string {
  return `issuing-${number}.pem`;
}

export function issuingKeyName(number: number): string {
  return `issuing-${number}.key`;
}

/** The number of an issuing authority by the name of its certificate. */
export function issuingNumberOf(name: string): number | undefined {
  const [, digits] = /^issuing-([1-9]\d{0,3})\.pem$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

export function recordPath(folder: string, serial: string): string {
  return path.join(folder, registerName, `${serial}.pem`);
}

/** A key or a certificate with its chain: no more is ever needed. */
export const smallFileLimitBytes = 1024 * 1024;
