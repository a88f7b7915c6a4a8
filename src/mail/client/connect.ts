import { createHash } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import * as tls from "node:tls";
import { Failure, systemReason } from "../../base/index.ts";

/** How a server is proven to be the one that is meant, and who we are to it. */
export interface TlsSettings {
  /** From the first byte on, or asked for in the protocol; `none` sends passwords in clear. */
  readonly mode: "implicit" | "starttls" | "none";
  /** PEM files: our certificate with what is between it and the CA, and its key. */
  readonly certificateFile?: string;
  readonly keyFile?: string;
  /** For a key that is encrypted. */
  readonly keyPassword?: string;
  /** Whether the server's certificate must be signed by a CA that is trusted. */
  readonly isChecked: boolean;
  /** Trusted instead of the system's: PEM files and folders of them. */
  readonly caFile?: string;
  readonly caFolder?: string;
  /** Hexadecimal with or without colons, of the certificate: SHA-256, SHA-1, or MD5 of the public key as fetchmail has it. */
  readonly fingerprint?: string;
  /** The name that the certificate must have, instead of the server's. */
  readonly name?: string;
  readonly minimum?: "TLSv1.2" | "TLSv1.3";
  readonly maximum?: "TLSv1.2" | "TLSv1.3";
}

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsSettings;
  /** Silence of this length ends the connection. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const pemCertificate =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;
const abortedTimeoutMs = 3000;
/** What Debian and its relatives keep up to date. */
const systemAuthorities = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/cert.pem",
];

/** Opens a connection, with TLS where that is from the first byte on. */
export async function openConnection(options: ConnectOptions): Promise<net.Socket> {
  const { host, port, timeoutMs } = options;
  const socket = net.connect({ host, port, noDelay: true });
  try {
    await ready(socket, "connect", options);
  } catch (error) {
    socket.destroy();
    if (error instanceof Failure) throw error;
    throw new Failure("failed", `cannot connect to "${host}" port ${port}: ${connectReason(error)}`, { cause: error });
  }
  socket.setTimeout(timeoutMs, () => {
    socket.destroy(new Failure("failed", `cannot go on with "${host}": it was silent for ${timeoutMs / 1000} seconds`));
  });
  // Who interrupts waits for what is being made safe, and no longer for the server.
  options.signal?.addEventListener("abort", () => socket.setTimeout(abortedTimeoutMs), { once: true });
  return options.tls.mode === "implicit" ? secureConnection(socket, options) : socket;
}

/** Several addresses were tried: the first answer tells most. */
function connectReason(error: unknown): string {
  if (error instanceof AggregateError) return systemReason(error.errors[0]);
  return systemReason(error);
}

/** Makes TLS of an open connection, and proves who the server is. */
export async function secureConnection(plain: net.Socket, options: ConnectOptions): Promise<tls.TLSSocket> {
  const { host, tls: settings } = options;
  const authorities = authoritiesOf(settings);
  const socket = tls.connect({
    socket: plain,
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    ...(settings.certificateFile === undefined ? {} : { cert: readPem(settings.certificateFile) }),
    ...(settings.keyFile === undefined ? {} : { key: readPem(settings.keyFile) }),
    ...(settings.keyPassword === undefined ? {} : { passphrase: settings.keyPassword }),
    ...(authorities === undefined ? {} : { ca: authorities }),
    minVersion: settings.minimum ?? "TLSv1.2",
    ...(settings.maximum === undefined ? {} : { maxVersion: settings.maximum }),
    rejectUnauthorized: false, // judged below, where what is wrong can be said
  });
  try {
    await ready(socket, "secureConnect", options);
    judge(socket, options);
    return socket;
  } catch (error) {
    socket.destroy();
    if (error instanceof Failure) throw error;
    throw new Failure("failed", `cannot make a secure connection to "${host}": ${handshakeReason(error)}`, {
      cause: error,
      ...(isCertificateAlert(error) ? { hint: "it wants another client certificate: sslcert and sslkey" } : {}),
    });
  }
}

function judge(socket: tls.TLSSocket, { host, tls: settings }: ConnectOptions): void {
  const certificate = socket.getPeerX509Certificate();
  const cannot = `cannot trust the server "${host}"`;
  if (certificate === undefined) throw new Failure("refused", `${cannot}: it showed no certificate`);
  if (settings.fingerprint !== undefined) {
    const wanted = settings.fingerprint.replaceAll(":", "").toUpperCase();
    const der = certificate.raw;
    const publicKey = certificate.publicKey.export({ type: "spki", format: "der" });
    const [sha256, sha1] = [hashOf("sha256", der), hashOf("sha1", der)];
    const known = [sha256, sha1, hashOf("md5", der), hashOf("md5", publicKey)];
    if (!known.includes(wanted)) {
      throw new Failure("refused", `${cannot}: its fingerprint is ${sha256} (SHA-256), another one is expected`, {
        hint: "sslfingerprint takes SHA-256, SHA-1 or MD5; ask the owner of the server whether it has a new certificate",
      });
    }
  }
  if (!settings.isChecked) return;
  // Against an address Node compares with alternative names; sslcommonname may be an ordinary name.
  if (!socket.authorized && !isNameTrouble(socket.authorizationError)) {
    throw new Failure("refused", `${cannot}: ${verifyReason(socket.authorizationError)}`, {
      hint: "sslcertfile names the certificate of its CA",
    });
  }
  const name = settings.name ?? host;
  const isIts = net.isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name);
  if (isIts === undefined && !(settings.name !== undefined && commonNameOf(certificate.subject) === name)) {
    const names = certificate.subjectAltName ?? certificate.subject;
    throw new Failure("refused", `${cannot}: its certificate is for ${names}, not for "${name}"`, {
      hint: "sslcommonname says what name to expect",
    });
  }
}

function isNameTrouble(error: unknown): boolean {
  return String(error).includes("ERR_TLS_CERT_ALTNAME");
}

function commonNameOf(subject: string): string | undefined {
  return /^CN=(.*)$/m.exec(subject)?.[1];
}

function hashOf(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest("hex").toUpperCase();
}

function verifyReason(error: unknown): string {
  const words: Readonly<Record<string, string>> = {
    DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is signed by itself",
    SELF_SIGNED_CERT_IN_CHAIN: "its CA is not one of those that are trusted",
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its CA is not one of those that are trusted",
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its CA is not one of those that are trusted",
    CERT_HAS_EXPIRED: "its certificate has expired",
    CERT_NOT_YET_VALID: "its certificate is not valid yet",
  };
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return words[code] ?? (error instanceof Error ? error.message : code);
}

function isCertificateAlert(error: unknown): boolean {
  return (
    error instanceof Error && /alert (certificate|bad certificate|handshake failure|unknown ca)/i.test(error.message)
  );
}

function handshakeReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { reason } = error as { readonly reason?: string };
  return reason ?? systemReason(error);
}

function authoritiesOf({ caFile, caFolder }: TlsSettings): string[] | undefined {
  const files = [...(caFile === undefined ? [] : [caFile]), ...(caFolder === undefined ? [] : filesOf(caFolder))];
  if (files.length > 0) {
    const found = files.flatMap((file) => readPem(file).match(pemCertificate) ?? []);
    if (found.length > 0 || caFolder === undefined) return found;
  }
  const system = systemAuthorities.find((file) => fs.existsSync(file));
  if (system === undefined) return undefined;
  return [...new Set([...tls.rootCertificates, ...(readPem(system).match(pemCertificate) ?? [])])];
}

function filesOf(folder: string): readonly string[] {
  try {
    return fs
      .readdirSync(folder)
      .map((name) => path.join(folder, name))
      .filter((file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true);
  } catch (error) {
    throw new Failure("failed", `cannot read the certificates in "${folder}": ${systemReason(error)}`, {
      cause: error,
    });
  }
}

function readPem(file: string): string {
  try {
    return fs.readFileSync(file, "latin1");
  } catch (error) {
    throw new Failure("failed", `cannot read "${file}": ${systemReason(error)}`, { cause: error });
  }
}

/** Waits for an event; ends with the first error, the user's interruption, or when nothing happens. */
async function ready(socket: net.Socket, event: string, { host, timeoutMs, signal }: ConnectOptions): Promise<void> {
  const timer = AbortSignal.timeout(timeoutMs);
  const stop = signal === undefined ? timer : AbortSignal.any([timer, signal]);
  const closed = new Promise<never>((_, reject) => {
    socket.once("close", () => reject(new Failure("failed", `cannot reach "${host}": it closed the connection`)));
  });
  try {
    await Promise.race([once(socket, event, { signal: stop }), closed]);
  } catch (error) {
    if (signal?.aborted === true) throw new Failure("interrupted", "interrupted", { cause: error });
    if (timer.aborted) {
      throw new Failure("failed", `cannot reach "${host}": no answer within ${timeoutMs / 1000} seconds`, {
        cause: error,
      });
    }
    throw error;
  } finally {
    closed.catch(() => undefined);
  }
}
