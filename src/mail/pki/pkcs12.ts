import * as crypto from "node:crypto";
import {
  derBmpString,
  derContext,
  derInteger,
  derNull,
  derObjectId,
  derOctetString,
  derSequence,
  derSet,
} from "../../bytes/der/index.ts";
import { encryptModern, type Encrypted } from "./encrypted-key.ts";
import { objectIds } from "./object-ids.ts";
import { derivePkcs12Key } from "./pkcs12-key.ts";

/**
 * `modern`: AES-256 and SHA-256, for OpenSSL 1.1 and later, NSS, Windows 10 1709, Android 14, macOS 12, iOS 15 and later.
 * `legacy`: Triple DES and SHA-1, for what is older.
 */
export type Pkcs12Mode = "modern" | "legacy";

export interface Pkcs12Request {
  readonly privateKey: crypto.KeyObject;
  /** In DER, of the key first. */
  readonly certificates: readonly Uint8Array[];
  /** What the device calls it. */
  readonly friendlyName: string;
  readonly passphrase: string;
  readonly mode: Pkcs12Mode;
}

/** Some devices count long; a passphrase that was made here is good for any number. */
const iterations = 2048;
/** macOS reads no salt of another length. */
const macSaltBytes = 8;

/** A private key with its certificates in one file, encrypted with a passphrase (PKCS #12, RFC 7292). */
export async function encodePkcs12(request: Pkcs12Request): Promise<Uint8Array> {
  const { privateKey, certificates, friendlyName, passphrase, mode } = request;
  const [own = new Uint8Array()] = certificates;
  const keyId = crypto.createHash("sha1").update(own).digest(); // only tells which certificate is the key's
  const attributes = derSet(
    attribute(objectIds.friendlyName, derBmpString(friendlyName)),
    attribute(objectIds.localKeyId, derOctetString(keyId)),
  );
  const certificateBags = certificates.map((der, index) => {
    const value = derSequence(derObjectId(objectIds.x509Certificate), derContext(0, derOctetString(der)));
    return bag(objectIds.certBag, value, index === 0 ? attributes : undefined);
  });
  const shrouded = await encrypt(privateKey.export({ format: "der", type: "pkcs8" }), passphrase, mode);
  const keyValue = derSequence(shrouded.algorithm, derOctetString(shrouded.bytes));
  const keyBag = bag(objectIds.pkcs8ShroudedKeyBag, keyValue, attributes);
  const hidden = await encrypt(derSequence(...certificateBags), passphrase, mode);
  const safe = derSequence(encryptedContent(hidden), dataContent(derSequence(keyBag)));
  return derSequence(derInteger(3), dataContent(safe), macOf(safe, passphrase, mode));
}

function attribute(objectId: string, value: Uint8Array): Uint8Array {
  return derSequence(derObjectId(objectId), derSet(value));
}

/** A SafeBag (RFC 7292 §4.2). */
function bag(objectId: string, value: Uint8Array, attributes: Uint8Array | undefined): Uint8Array {
  return derSequence(derObjectId(objectId), derContext(0, value), ...(attributes === undefined ? [] : [attributes]));
}

/** A ContentInfo of type data (RFC 2315 §7, §8). */
function dataContent(bytes: Uint8Array): Uint8Array {
  return derSequence(derObjectId(objectIds.data), derContext(0, derOctetString(bytes)));
}

/** And one of type encryptedData (RFC 2315 §13). */
function encryptedContent({ algorithm, bytes }: Encrypted): Uint8Array {
  const content = derSequence(derObjectId(objectIds.data), algorithm, derContext(0, bytes, { isConstructed: false }));
  return derSequence(derObjectId(objectIds.encryptedData), derContext(0, derSequence(derInteger(0), content)));
}

async function encrypt(bytes: Uint8Array, passphrase: string, mode: Pkcs12Mode): Promise<Encrypted> {
  return mode === "modern" ? encryptModern(bytes, passphrase, { iterations }) : encryptLegacy(bytes, passphrase);
}

/** pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292, appendix C). */
function encryptLegacy(bytes: Uint8Array, passphrase: string): Encrypted {
  const salt = crypto.randomBytes(8);
  const derived = { hash: "sha1", passphrase, salt, iterations } as const;
  const key = derivePkcs12Key({ ...derived, purpose: "key", lengthBytes: 24 });
  const iv = derivePkcs12Key({ ...derived, purpose: "iv", lengthBytes: 8 });
  const cipher = crypto.createCipheriv("des-ede3-cbc", key, iv);
  return {
    algorithm: derSequence(
      derObjectId(objectIds.pbeWithSha1And3KeyTripleDes),
      derSequence(derOctetString(salt), derInteger(iterations)),
    ),
    bytes: Buffer.concat([cipher.update(bytes), cipher.final()]),
  };
}

/** What shows whether the passphrase is right (RFC 7292 §4). */
function macOf(safe: Uint8Array, passphrase: string, mode: Pkcs12Mode): Uint8Array {
  const isModern = mode === "modern";
  const hash = isModern ? "sha256" : "sha1";
  const salt = crypto.randomBytes(macSaltBytes);
  const lengthBytes = isModern ? 32 : 20;
  const key = derivePkcs12Key({ hash, passphrase, salt, iterations, purpose: "mac", lengthBytes });
  const digest = crypto.createHmac(hash, key).update(safe).digest();
  const algorithm = derSequence(derObjectId(objectIds[hash]), derNull());
  return derSequence(derSequence(algorithm, derOctetString(digest)), derOctetString(salt), derInteger(iterations));
}
