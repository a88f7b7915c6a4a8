import * as crypto from "node:crypto";
import { promisify } from "node:util";
import { derInteger, derNull, derObjectId, derOctetString, derSequence } from "../../bytes/der/index.ts";
import { Failure } from "../../base/index.ts";
import { objectIds } from "./object-ids.ts";
import { encodePem } from "./pem.ts";

const pbkdf2 = promisify(crypto.pbkdf2);

/** Some tenths of a second on a machine of today, each time a passphrase is tried. */
const keyIterations = 600_000;

export interface Encrypted {
  /** An AlgorithmIdentifier in DER. */
  readonly algorithm: Uint8Array;
  readonly bytes: Uint8Array;
}

/** AES-256-CBC under a passphrase: PBES2 with PBKDF2 and HMAC-SHA-256 (RFC 8018 §6.2, appendix A.4). */
export async function encryptModern(
  bytes: Uint8Array,
  passphrase: string,
  { iterations }: { readonly iterations: number },
): Promise<Encrypted> {
  const [salt, iv] = [crypto.randomBytes(16), crypto.randomBytes(16)];
  const key = await pbkdf2(passphrase, salt, iterations, 32, "sha256");
  const cipher = crypto.createCipheriv("aes-256-cbc", key, iv);
  const derivation = derSequence(
    derObjectId(objectIds.pbkdf2),
    derSequence(
      derOctetString(salt),
      derInteger(iterations),
      derSequence(derObjectId(objectIds.hmacWithSha256), derNull()),
    ),
  );
  const encryption = derSequence(derObjectId(objectIds.aes256Cbc), derOctetString(iv));
  return {
    algorithm: derSequence(derObjectId(objectIds.pbes2), derSequence(derivation, encryption)),
    bytes: Buffer.concat([cipher.update(bytes), cipher.final()]),
  };
}

/** A private key in PEM, encrypted with a passphrase (PKCS #8, RFC 5958 §3). Anything that reads PKCS #8 reads it. */
export async function encryptKey(
  key: crypto.KeyObject,
  passphrase: string,
  iterations = keyIterations,
): Promise<string> {
  const plain = key.export({ format: "der", type: "pkcs8" });
  const { algorithm, bytes } = await encryptModern(plain, passphrase, { iterations });
  return encodePem("ENCRYPTED PRIVATE KEY", derSequence(algorithm, derOctetString(bytes)));
}

/** A private key in PEM. Throws `refused` for a wrong passphrase, `usage` where one is missing. */
export function readKey(pem: string, passphrase: string | undefined, file: string): crypto.KeyObject {
  const isEncrypted = /-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(pem);
  if (isEncrypted && passphrase === undefined) {
    throw new Failure("usage", `cannot read the key "${file}": it is encrypted, its passphrase is needed`);
  }
  try {
    return crypto.createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (error) {
    // By chance what a wrong passphrase decrypts looks whole, and is then no key: the two cannot be told apart.
    if (isEncrypted) {
      throw new Failure("refused", `cannot read the key "${file}": the passphrase is wrong`, { cause: error });
    }
    throw new Failure("damaged", `cannot read the key "${file}": it is no private key in PEM`, { cause: error });
  }
}
