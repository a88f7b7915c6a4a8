import * as crypto from "node:crypto";
import { derBitString, DerCursor, derNull, derObjectId, derSequence, derTags } from "../../bytes/der/index.ts";
import { Failure } from "../../base/index.ts";
import { objectIds } from "./object-ids.ts";

/** How a kind of key signs; RSA's identifiers have an explicit NULL behind them (RFC 4055 §5). */
interface SignatureAlgorithm {
  readonly objectId: string;
  readonly hash: string | null;
  readonly keyType: string;
}

const algorithms: readonly SignatureAlgorithm[] = [
  { objectId: objectIds.ecdsaWithSha256, hash: "sha256", keyType: "ec" },
  { objectId: objectIds.ecdsaWithSha384, hash: "sha384", keyType: "ec" },
  { objectId: objectIds.ecdsaWithSha512, hash: "sha512", keyType: "ec" },
  { objectId: objectIds.sha256WithRsa, hash: "sha256", keyType: "rsa" },
  { objectId: objectIds.sha384WithRsa, hash: "sha384", keyType: "rsa" },
  { objectId: objectIds.sha512WithRsa, hash: "sha512", keyType: "rsa" },
  { objectId: objectIds.ed25519, hash: null, keyType: "ed25519" },
];

/** A signed structure of X.509 (RFC 5280 §4.1.1): what is signed, made for the algorithm by which it is. */
export function signDer(key: crypto.KeyObject, toBeSigned: (algorithm: Uint8Array) => Uint8Array): Uint8Array {
  const algorithm = algorithms.find(({ keyType }) => keyType === key.asymmetricKeyType);
  if (algorithm === undefined) throw new Failure("unsupported", `cannot sign with a key of "${key.asymmetricKeyType}"`);
  const identifier = derSequence(derObjectId(algorithm.objectId), ...(algorithm.keyType === "rsa" ? [derNull()] : []));
  const signed = toBeSigned(identifier);
  const signature = crypto.sign(algorithm.hash, signed, key);
  return derSequence(signed, identifier, derBitString(signature));
}

/** A structure of X.509 taken apart, with its signature not verified yet. */
export interface SignedDer {
  /** A cursor over the content of what is signed. */
  readonly content: DerCursor;
  readonly isSignedBy: (key: crypto.KeyObject) => boolean;
}

/** Takes a signed structure apart. Throws `damaged`; a way of signing that is not known verifies with no key. */
export function readSigned(der: Uint8Array, subject: string): SignedDer {
  const whole = new DerCursor(der, subject);
  const parts = whole.enter(derTags.sequence);
  whole.expectEnd();
  const signed = parts.takeWhole(derTags.sequence);
  const objectId = parts.enter(derTags.sequence).takeObjectId();
  const signature = parts.takeBits();
  parts.expectEnd();
  return {
    content: new DerCursor(signed, subject).enter(derTags.sequence),
    isSignedBy(key) {
      const algorithm = algorithms.find((one) => one.objectId === objectId);
      if (algorithm === undefined || algorithm.keyType !== key.asymmetricKeyType) return false;
      return crypto.verify(algorithm.hash, signed, key, signature);
    },
  };
}
