import { constants } from "node:crypto";
import * as path from "node:path";
import * as fs from "node:fs";
import { createSecureContext, type SecureContext } from "node:tls";
import { Failure, systemReason } from "../../base/index.ts";
import { readBundle, type Bundle } from "../pki/index.ts";
import { mailPaths, type MailSettings } from "../settings/index.ts";

/** Where the files are that trust rests on. */
export interface TrustPlaces {
  /** PEM; key and certificate may be in one file. */
  readonly certificate: string;
  readonly key: string;
  /** Files with authorities and revocation lists. */
  readonly authorities: readonly string[];
}

/** The files that decide who is let in, and who this server is, as they were read: latin1. */
export interface TrustFiles {
  readonly certificate: string;
  readonly key: string;
  readonly authorities: readonly { readonly file: string; readonly text: string }[];
}

export interface Trust {
  readonly context: SecureContext;
  readonly bundle: Bundle;
}

const fileLimitBytes = 256 * 1024 * 1024;

/** The files of this machine's own authority, and those that the settings name. */
export function trustPlaces({ folder, serverCertificate, otherAuthorities }: TrustSettings): TrustPlaces {
  const { pki } = mailPaths(folder);
  const own = path.join(pki, "server.pem");
  const authorities = [path.join(pki, "bundle.pem"), ...otherAuthorities];
  return { ...(serverCertificate ?? { certificate: own, key: own }), authorities };
}

type TrustSettings = Pick<MailSettings, "folder" | "serverCertificate" | "otherAuthorities">;

/** Throws `not-found` where `holdfast mail init` has not been there. */
export function readTrustFiles({ certificate, key, authorities }: TrustPlaces): TrustFiles {
  return {
    certificate: read(certificate),
    key: read(key),
    authorities: authorities.map((file) => ({ file, text: read(file) })),
  };
}

function read(file: string): string {
  try {
    if (fs.statSync(file).size > fileLimitBytes) {
      throw new Failure("unsupported", `cannot read "${file}": it has more than ${fileLimitBytes} bytes`);
    }
    return fs.readFileSync(file, "latin1");
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("not-found", `cannot read "${file}": ${systemReason(error)}`, {
      hint: '"holdfast mail init DOMAIN" makes an authority and the certificate of the server',
      cause: error,
    });
  }
}

/** What is made of these files. Throws where they do not fit together: who has some trust already keeps that. */
export function trustOf({ certificate, key, authorities }: TrustFiles): Trust {
  const bundle = readBundle(authorities.map(({ file, text }) => ({ file, bytes: Buffer.from(text, "latin1") })));
  try {
    const context = createSecureContext({
      key,
      cert: certificate,
      ca: [...bundle.certificatesPem], // their names are told to clients, which choose by them
      minVersion: "TLSv1.2",
      // No tickets: sessions would outlive the revocation of a certificate.
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
      sessionIdContext: "holdfast",
    });
    return { context, bundle };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure(
      "damaged",
      `cannot use the certificate of the server: ${why}, a key and its certificate are needed`,
      {
        cause: error,
      },
    );
  }
}
