import { constants } from "node:crypto";
import * as path from "node:path";
import * as fs from "node:fs";
import { createSecureContext, type SecureContext } from "node:tls";
import { Failure, systemReason } from "../../base/index.ts";
import { readBundle, type Bundle } from "../pki/index.ts";

/** The files that decide who is let in, and who this server is, as they were read. */
export interface TrustFiles {
  /** Key and certificate of the server: PEM. */
  readonly server: string;
  /** Authorities and revocation lists: PEM. */
  readonly bundle: string;
}

export interface Trust {
  readonly context: SecureContext;
  readonly bundle: Bundle;
}

const fileLimitBytes = 256 * 1024 * 1024;

/** Reads what is in the folder of the authority. Throws `not-found` where `holdfast mail init` has not been there. */
export function readTrustFiles(folder: string): TrustFiles {
  const read = (name: string): string => {
    const file = path.join(folder, name);
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
  };
  return { server: read("server.pem"), bundle: read("bundle.pem") };
}

/** What is made of these files. Throws where they do not fit together: who has some trust already keeps that. */
export function trustOf({ server, bundle }: TrustFiles): Trust {
  const read = readBundle([{ file: "bundle.pem", bytes: Buffer.from(bundle, "latin1") }]);
  try {
    const context = createSecureContext({
      key: server,
      cert: server,
      ca: [...read.certificatesPem], // their names are told to clients, which choose by them
      minVersion: "TLSv1.2",
      // No tickets: sessions would outlive the revocation of a certificate.
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
      sessionIdContext: "holdfast",
    });
    return { context, bundle: read };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure("damaged", `cannot use "server.pem": ${why}, a key and its certificate are needed`, {
      cause: error,
    });
  }
}
