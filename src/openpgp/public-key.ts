import * as crypto from "node:crypto";
import { dsaKey } from "./dsa-key.ts";
import { Octets } from "./octets.ts";

/** RFC 9580 §9.1: those that sign and that are not too weak. */
const publicKeyAlgorithm = {
  rsa: 1,
  rsaSignOnly: 3,
  dsa: 17,
  ecdsa: 19,
  eddsaLegacy: 22,
  ed25519: 27,
  ed448: 28,
} as const;

/** How a signature's numbers become what Node verifies. */
type SignatureForm =
  | { readonly kind: "rsa"; readonly modulusBytes: number }
  | { readonly kind: "pair"; readonly halfBytes: number; readonly isEdwards: boolean }
  | { readonly kind: "plain"; readonly sizeBytes: number };

export interface PublicKey {
  readonly version: number;
  /** Upper-case hexadecimal. */
  readonly fingerprint: string;
  readonly keyId: string;
  readonly createdMs: number;
  readonly algorithm: number;
  /** As signatures over keys hash it, with its prefix (RFC 9580 §5.2.4). */
  readonly hashed: Uint8Array;
  /** Absent where the algorithm is unknown here, does not sign, or is too weak. */
  readonly verifier?: { readonly key: crypto.KeyObject; readonly form: SignatureForm };
}

/** What a key is known by, from the body of its packet; undefined for versions not known here. */
export function identify(
  body: Uint8Array,
): Pick<PublicKey, "version" | "fingerprint" | "keyId" | "hashed"> | undefined {
  const version = new Octets(body).u8();
  if (version !== 4 && version !== 6) return undefined; // older ones hang on MD5
  const hashed = Buffer.concat([keyPrefix(version, body.length), body]);
  const fingerprint = crypto.hash(version === 4 ? "sha1" : "sha256", hashed, "hex").toUpperCase();
  const keyId = version === 4 ? fingerprint.slice(-16) : fingerprint.slice(0, 16);
  return { version, fingerprint, keyId, hashed };
}

/** The body of a public key or public subkey packet (RFC 9580 §5.5.2). */
export function parsePublicKey(body: Uint8Array): PublicKey | undefined {
  const names = identify(body);
  if (names === undefined) return undefined;
  const octets = new Octets(body);
  octets.u8(); // the version
  const createdMs = octets.u32() * 1000;
  const algorithm = octets.u8();
  if (names.version === 6) octets.u32(); // the length of what follows
  const verifier = verifierOf(algorithm, octets);
  return { ...names, createdMs, algorithm, ...(verifier === undefined ? {} : { verifier }) };
}

function keyPrefix(version: number, lengthBytes: number): Uint8Array {
  const prefix = Buffer.alloc(version === 4 ? 3 : 5);
  prefix[0] = version === 4 ? 0x99 : 0x9b;
  if (version === 4) prefix.writeUInt16BE(lengthBytes & 0xffff, 1);
  else prefix.writeUInt32BE(lengthBytes, 1);
  return prefix;
}

/** Below this, RSA and DSA are refused as too weak. */
const leastModulusBytes = 256;
const mostModulusBytes = 2048;
/** FIPS 186-4 §4.2: of the second prime of DSA keys that are not too weak. */
const subgroupBytes: readonly number[] = [28, 32];

const legacyEd25519Oid = "2b06010401da470f01";

/** RFC 9580 §9.2. */
const ecdsaCurves: ReadonlyMap<string, { readonly crv: string; readonly halfBytes: number }> = new Map([
  ["2a8648ce3d030107", { crv: "P-256", halfBytes: 32 }],
  ["2b81040022", { crv: "P-384", halfBytes: 48 }],
  ["2b81040023", { crv: "P-521", halfBytes: 66 }],
]);

function verifierOf(algorithm: number, octets: Octets): PublicKey["verifier"] {
  switch (algorithm) {
    case publicKeyAlgorithm.rsa:
    case publicKeyAlgorithm.rsaSignOnly:
      return rsaVerifier(octets.mpi(), octets.mpi());
    case publicKeyAlgorithm.dsa:
      return dsaVerifier(octets);
    case publicKeyAlgorithm.ecdsa:
      return ecdsaVerifier(hexOf(octets.take(octets.u8())), octets.mpi());
    case publicKeyAlgorithm.eddsaLegacy: {
      const isEd25519 = hexOf(octets.take(octets.u8())) === legacyEd25519Oid;
      const point = octets.mpi();
      if (!isEd25519 || point.length !== 33 || point[0] !== 0x40) return undefined;
      return verifierWith(edwardsKey("Ed25519", point.subarray(1)), { kind: "pair", halfBytes: 32, isEdwards: true });
    }
    case publicKeyAlgorithm.ed25519:
      return verifierWith(edwardsKey("Ed25519", octets.take(32)), { kind: "plain", sizeBytes: 64 });
    case publicKeyAlgorithm.ed448:
      return verifierWith(edwardsKey("Ed448", octets.take(57)), { kind: "plain", sizeBytes: 114 });
    default:
      return undefined;
  }
}

function rsaVerifier(modulus: Uint8Array, exponent: Uint8Array): PublicKey["verifier"] {
  if (modulus.length < leastModulusBytes || modulus.length > mostModulusBytes || exponent.length > 8) return undefined;
  const key = keyFromJwk({ kty: "RSA", n: base64(modulus), e: base64(exponent) });
  return verifierWith(key, { kind: "rsa", modulusBytes: modulus.length });
}

/** RFC 9580 §5.5.5.2. */
function dsaVerifier(octets: Octets): PublicKey["verifier"] {
  const [p, q, g, y] = [octets.mpi(), octets.mpi(), octets.mpi(), octets.mpi()];
  if (p.length < leastModulusBytes || p.length > mostModulusBytes || !subgroupBytes.includes(q.length))
    return undefined;
  return verifierWith(dsaKey({ p, q, g, y }), { kind: "pair", halfBytes: q.length, isEdwards: false });
}

function ecdsaVerifier(oid: string, point: Uint8Array): PublicKey["verifier"] {
  const curve = ecdsaCurves.get(oid);
  if (curve === undefined || point.length !== 1 + 2 * curve.halfBytes || point[0] !== 4) return undefined;
  const [x, y] = [point.subarray(1, 1 + curve.halfBytes), point.subarray(1 + curve.halfBytes)];
  const key = keyFromJwk({ kty: "EC", crv: curve.crv, x: base64(x), y: base64(y) });
  return verifierWith(key, { kind: "pair", halfBytes: curve.halfBytes, isEdwards: false });
}

function edwardsKey(crv: "Ed25519" | "Ed448", point: Uint8Array): crypto.KeyObject | undefined {
  return keyFromJwk({ kty: "OKP", crv, x: base64(point) });
}

/** Undefined where the numbers are none of a key, such as a point that is not on its curve. */
function keyFromJwk(key: crypto.JsonWebKey): crypto.KeyObject | undefined {
  try {
    return crypto.createPublicKey({ key, format: "jwk" });
  } catch {
    return undefined;
  }
}

function verifierWith(key: crypto.KeyObject | undefined, form: SignatureForm): PublicKey["verifier"] {
  return key === undefined ? undefined : { key, form };
}

/** The signature's numbers behind its hashes (RFC 9580 §5.2.3), as Node verifies them; undefined where they cannot fit. */
export function signatureValue(form: SignatureForm, numbers: Uint8Array): Uint8Array | undefined {
  const octets = new Octets(numbers);
  if (form.kind === "plain") return octets.left === form.sizeBytes ? octets.rest() : undefined;
  const sizes = form.kind === "rsa" ? [form.modulusBytes] : [form.halfBytes, form.halfBytes];
  const parts = sizes.map((size) => leftPadded(octets.mpi(), size));
  if (octets.left > 0) return undefined;
  const whole = parts.filter((part) => part !== undefined);
  return whole.length === parts.length ? Buffer.concat(whole) : undefined;
}

function leftPadded(number: Uint8Array, sizeBytes: number): Uint8Array | undefined {
  if (number.length > sizeBytes) return undefined;
  const padded = Buffer.alloc(sizeBytes);
  padded.set(number, sizeBytes - number.length);
  return padded;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
