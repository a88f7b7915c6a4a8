import * as crypto from "node:crypto";

/** What stands before a digest in an RSA signature: its hash, in DER (RFC 8017 §9.2, notes; RFC 8702 for SHA-3's numbers). */
const digestPrefixes: ReadonlyMap<string, string> = new Map([
  ["sha1", "3021300906052b0e03021a05000414"],
  ["sha224", "302d300d06096086480165030402040500041c"],
  ["sha256", "3031300d060960864801650304020105000420"],
  ["sha384", "3041300d060960864801650304020205000430"],
  ["sha512", "3051300d060960864801650304020305000440"],
  ["sha3-256", "3031300d060960864801650304020805000420"],
  ["sha3-512", "3051300d060960864801650304020a05000440"],
]);

/**
 * Whether this is the key's signature (PKCS #1 v1.5) of a digest. Node signs and verifies content only; of a large file
 * there is just the digest. All of the block is compared with the only one that is right: nothing in it is parsed.
 */
export function isRsaSignature(
  key: crypto.KeyObject,
  value: Uint8Array,
  { hash, digest }: { readonly hash: string; readonly digest: Uint8Array },
): boolean {
  const prefix = digestPrefixes.get(hash);
  if (prefix === undefined) return false;
  const info = Buffer.concat([Buffer.from(prefix, "hex"), digest]);
  const expected = Buffer.concat([
    Buffer.of(0, 1),
    Buffer.alloc(value.length - info.length - 3, 0xff),
    Buffer.of(0),
    info,
  ]);
  try {
    return crypto.publicDecrypt({ key, padding: crypto.constants.RSA_NO_PADDING }, value).equals(expected);
  } catch {
    return false; // the number is larger than the modulus
  }
}
