import * as crypto from "node:crypto";
import { Failure } from "../../base/index.ts";
import { derTags } from "../../bytes/der/index.ts";
import { readBytes } from "../own-files.ts";
import { readPem } from "./pem.ts";
import { smallFileLimitBytes } from "./places.ts";
import { readSigned } from "./signature.ts";

const labels: readonly string[] = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/**
 * The public key in a signing request (PKCS #10, RFC 2986), in PEM or DER, whose maker has shown to have the private
 * one. The names in it count for nothing: who it is for is said here.
 */
export function readSigningRequest(file: string): crypto.KeyObject {
  const bytes = readBytes(file, { limitBytes: smallFileLimitBytes });
  const block = readPem(bytes.toString("latin1")).find(({ label }) => labels.includes(label));
  const subject = `the signing request "${file}"`;
  const { content, isSignedBy } = readSigned(block?.bytes ?? bytes, subject);
  content.take(derTags.integer);
  content.takeWhole(derTags.sequence); // the name
  const key = publicKeyOf(content.takeWhole(derTags.sequence), subject);
  if (isSignedBy(key)) return key;
  throw new Failure("mismatch", `cannot use ${subject}: it is not signed by the key that is in it`);
}

function publicKeyOf(info: Uint8Array, subject: string): crypto.KeyObject {
  try {
    return crypto.createPublicKey({ key: Buffer.from(info), format: "der", type: "spki" });
  } catch (error) {
    throw new Failure("damaged", `cannot read ${subject}: there is no public key in it`, { cause: error });
  }
}
