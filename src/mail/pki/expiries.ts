import { loadBundle, type TrustedAuthority } from "./bundle.ts";
import { readCertificate, type Certificate } from "./certificate.ts";
import { readText } from "../own-files.ts";
import { readPem } from "./pem.ts";
import { smallFileLimitBytes } from "./places.ts";
import { readRegister, type IssuedCertificate } from "./register.ts";
import { serverCertificate } from "./server-certificate.ts";
import { leftDays } from "./validity.ts";

export type ExpiryKind = "root" | "issuer" | "revocation list" | "server" | "client";
/** `overdue`: what should have been done is not, such as a revocation that no list tells of. */
export type ExpiryState = "fine" | "soon" | "ended" | "overdue";

/** Something that ends, and when. */
export interface Expiry {
  readonly kind: ExpiryKind;
  /** `joe@example.org laptop`, `Mail issuer 1`. */
  readonly name: string;
  readonly serial: string;
  /** Undefined of a revocation list that is not there. */
  readonly endsAt: Date | undefined;
  readonly leftDays: number;
  readonly state: ExpiryState;
}

export interface ExpiryOptions {
  readonly now: Date;
  /** From how many days on what ends is `soon`. */
  readonly warnDays: number;
  /** The server's certificate, if it is not the folder's own. */
  readonly serverCertificateFile?: string;
  /** Authorities and lists from elsewhere. */
  readonly others?: readonly string[];
}

/** A device whose certificate ended so long ago is in use no more. */
const forgottenDays = -30;

/** All that ends, the first to end first: authorities, revocation lists, the server's certificate, users' certificates. */
export function expiriesOf(folder: string, options: ExpiryOptions): readonly Expiry[] {
  const { others = [] } = options;
  const { authorities } = loadBundle(folder, { others });
  const register = readRegister(folder);
  const isListed = listed(authorities);
  const unlisted = register.filter((one) => one.revoked !== undefined && !isListed(one.serial));
  const server = serverOf(folder, options);
  const expiries = [
    ...authorities
      .filter((authority) => !isSucceeded(authority, authorities, options.now))
      .flatMap((authority) => authorityExpiries(authority, options)),
    ...(server === undefined ? [] : [expiryOf("server", nameOf(server), server, options)]),
    ...currentOf(register, options.now).map((one) => expiryOf("client", clientName(one), one.certificate, options)),
    ...unlisted.map((one): Expiry => ({
      ...expiryOf("client", `${clientName(one)}, revoked, not in the list yet`, one.certificate, options),
      state: "overdue",
    })),
  ];
  return expiries.toSorted((a, b) => a.leftDays - b.leftDays);
}

/** Whether an issuing authority has ended, or was revoked, and another of the same root has taken its place. */
function isSucceeded(authority: TrustedAuthority, all: readonly TrustedAuthority[], now: Date): boolean {
  const { issuer } = authority;
  if (issuer === undefined || !isOver(authority, now)) return false;
  return all.some((one) => one.issuer?.certificate === issuer.certificate && !isOver(one, now));
}

function isOver({ certificate, issuer }: TrustedAuthority, now: Date): boolean {
  return certificate.notAfter < now || issuer?.list?.revoked.has(certificate.serial) === true;
}

function listed(authorities: readonly TrustedAuthority[]): (serial: string) => boolean {
  return (serial) => authorities.some(({ list }) => list?.revoked.has(serial) === true);
}

function serverOf(folder: string, { serverCertificateFile }: ExpiryOptions): Certificate | undefined {
  if (serverCertificateFile === undefined) return serverCertificate(folder);
  const text = readText(serverCertificateFile, { limitBytes: smallFileLimitBytes });
  const block = readPem(text).find(({ label }) => label === "CERTIFICATE");
  return block === undefined
    ? undefined
    : readCertificate(block.bytes, `the certificate in "${serverCertificateFile}"`);
}

function authorityExpiries({ certificate, list, issuer }: TrustedAuthority, options: ExpiryOptions): readonly Expiry[] {
  const name = nameOf(certificate);
  const { serial } = certificate;
  const ofList: Expiry =
    list === undefined
      ? { kind: "revocation list", name, serial, endsAt: undefined, leftDays: 0, state: "ended" }
      : ended({ kind: "revocation list", name, serial, endsAt: list.nextUpdate }, options);
  return [expiryOf(issuer === undefined ? "root" : "issuer", name, certificate, options), ofList];
}

function expiryOf(kind: ExpiryKind, name: string, { serial, notAfter }: Certificate, options: ExpiryOptions): Expiry {
  return ended({ kind, name, serial, endsAt: notAfter }, options);
}

function ended(
  what: Omit<Expiry, "leftDays" | "state" | "endsAt"> & { readonly endsAt: Date },
  { now, warnDays }: ExpiryOptions,
): Expiry {
  const left = leftDays(what.endsAt, now);
  return { ...what, leftDays: left, state: left < 0 ? "ended" : left < warnDays ? "soon" : "fine" };
}

/** Of each device the newest certificate that is not revoked, while somebody may miss it. */
function currentOf(register: readonly IssuedCertificate[], now: Date): readonly IssuedCertificate[] {
  const newest = new Map<string, IssuedCertificate>();
  for (const one of register) {
    if (one.mailbox !== undefined && one.revoked === undefined) newest.set(`${one.mailbox} ${one.name}`, one);
  }
  return [...newest.values()].filter(({ certificate }) => leftDays(certificate.notAfter, now) > forgottenDays);
}

function clientName({ mailbox, name }: IssuedCertificate): string {
  return `${mailbox} ${name}`;
}

function nameOf({ subjectName: { organization, commonName } }: Certificate): string {
  return [organization, commonName].filter((part) => part !== undefined).join(", ");
}

const metric = "holdfast_mail_expiry_timestamp_seconds";

/** The same in Prometheus' text format, for its node exporter's folder of text files. */
export function prometheusText(expiries: readonly Expiry[]): string {
  const lines = expiries.flatMap(({ kind, name, serial, endsAt, state }) => {
    const labels = Object.entries({ kind, name, serial, state }).map(([key, text]) => `${key}="${labelText(text)}"`);
    return `${metric}{${labels.join(",")}} ${endsAt === undefined ? 0 : Math.floor(endsAt.getTime() / 1000)}`;
  });
  return [
    `# HELP ${metric} When a certificate or revocation list ends; 0 where it is missing.`,
    `# TYPE ${metric} gauge`,
    ...lines,
    "",
  ].join("\n");
}

function labelText(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === "\n" ? String.raw`\n` : `\\${character}`));
}
