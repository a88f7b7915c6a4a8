import { createHash, createHmac, pbkdf2 as pbkdf2WithCallback, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { verifyArgon2 } from "./argon2.ts";
import { crypt } from "./crypt.ts";

const pbkdf2 = promisify(pbkdf2WithCallback);

/** A password as a file has it. */
export interface StoredPassword {
  /** In upper case: `SHA512-CRYPT`. */
  readonly scheme: string;
  readonly data: string;
}

const roundsLimit = 10_000_000;

/** `{SCHEME}data`, `{SCHEME.b64}data`, `{SCHEME.hex}data`; without a scheme it is crypt(3)'s. */
export function parseStored(text: string): StoredPassword {
  const match = /^\{([^}.]+)(?:\.([^}]*))?\}(.*)$/s.exec(text);
  if (match === null) return { scheme: "CRYPT", data: text };
  const [, name = "", encoding = "", data = ""] = match;
  const scheme = name.toUpperCase();
  const isHex = encoding.toUpperCase() === "HEX";
  if (encoding === "") return { scheme, data };
  const bytes = Buffer.from(data, isHex ? "hex" : "base64");
  // Of digests the bytes are meant, of the others their text.
  return { scheme, data: digests.has(scheme) ? bytes.toString("base64") : bytes.toString("utf8") };
}

/** Whether passwords of that scheme can be checked here. */
export function canVerify({ scheme }: StoredPassword): boolean {
  return plainSchemes.has(scheme) || digests.has(scheme) || verifiers.has(scheme);
}

/** Whether that is the password. False for a scheme that `canVerify` does not know. */
export async function verifyPassword(password: string, { scheme, data }: StoredPassword): Promise<boolean> {
  if (plainSchemes.has(scheme)) return isSame(Buffer.from(password), Buffer.from(data));
  const digest = digests.get(scheme);
  if (digest !== undefined) return verifyDigest(password, data, digest);
  return (await verifiers.get(scheme)?.(password, data)) ?? false;
}

const plainSchemes: ReadonlySet<string> = new Set(["PLAIN", "CLEAR", "CLEARTEXT"]);

interface Digest {
  readonly algorithm: string;
  readonly sizeBytes: number;
  /** Whether bytes behind the digest are a salt. */
  readonly isSalted?: boolean;
}

const digests: ReadonlyMap<string, Digest> = new Map<string, Digest>([
  ["PLAIN-MD5", { algorithm: "md5", sizeBytes: 16 }],
  ["LDAP-MD5", { algorithm: "md5", sizeBytes: 16 }],
  ["SMD5", { algorithm: "md5", sizeBytes: 16, isSalted: true }],
  ["SHA", { algorithm: "sha1", sizeBytes: 20 }],
  ["SHA1", { algorithm: "sha1", sizeBytes: 20 }],
  ["SSHA", { algorithm: "sha1", sizeBytes: 20, isSalted: true }],
  ["SHA256", { algorithm: "sha256", sizeBytes: 32 }],
  ["SSHA256", { algorithm: "sha256", sizeBytes: 32, isSalted: true }],
  ["SHA512", { algorithm: "sha512", sizeBytes: 64 }],
  ["SSHA512", { algorithm: "sha512", sizeBytes: 64, isSalted: true }],
]);

type Verify = (password: string, data: string) => Promise<boolean>;

const verifiers: ReadonlyMap<string, Verify> = new Map<string, Verify>([
  ...["CRYPT", "DES-CRYPT", "MD5", "MD5-CRYPT", "SHA256-CRYPT", "SHA512-CRYPT", "BLF-CRYPT"].map(
    (scheme) => [scheme, verifyCrypt] as const,
  ),
  ["ARGON2I", verifyArgon2],
  ["ARGON2ID", verifyArgon2],
  ["PBKDF2", verifyPbkdf2],
  ["SCRAM-SHA-1", (password, data) => verifyScram(password, data, "sha1")],
  ["SCRAM-SHA-256", (password, data) => verifyScram(password, data, "sha256")],
]);

function verifyDigest(password: string, data: string, { algorithm, sizeBytes, isSalted }: Digest): boolean {
  const isHex = isSalted !== true && data.length === sizeBytes * 2 && /^[\da-f]+$/i.test(data);
  const stored = Buffer.from(data, isHex ? "hex" : "base64");
  const [digest, salt] = [stored.subarray(0, sizeBytes), stored.subarray(sizeBytes)];
  if (isSalted === true ? salt.length === 0 : salt.length > 0) return false;
  return isSame(createHash(algorithm).update(password).update(salt).digest(), digest);
}

async function verifyCrypt(password: string, data: string): Promise<boolean> {
  const found = await crypt(password, data);
  return found !== null && isSame(Buffer.from(found), Buffer.from(data));
}

/** `$1$salt$rounds$digest`: SHA-1, the salt as it is written. */
async function verifyPbkdf2(password: string, data: string): Promise<boolean> {
  const [, salt = "", rounds = "", digest = ""] = /^\$1\$([^$]+)\$(\d{1,8})\$([\da-f]{40})$/i.exec(data) ?? [];
  if (digest === "" || Number(rounds) < 1 || Number(rounds) > roundsLimit) return false;
  return isSame(await pbkdf2(password, salt, Number(rounds), 20, "sha1"), Buffer.from(digest, "hex"));
}

/** `rounds,salt,stored key,server key` (RFC 5802 §3). */
async function verifyScram(password: string, data: string, algorithm: "sha1" | "sha256"): Promise<boolean> {
  const [rounds = "", salt = "", storedKey = ""] = data.split(",");
  if (storedKey === "" || !/^\d{1,8}$/.test(rounds) || Number(rounds) < 1 || Number(rounds) > roundsLimit) return false;
  const stored = Buffer.from(storedKey, "base64");
  const salted = await pbkdf2(password, Buffer.from(salt, "base64"), Number(rounds), stored.length, algorithm);
  const clientKey = createHmac(algorithm, salted).update("Client Key").digest();
  return isSame(createHash(algorithm).update(clientKey).digest(), stored);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  // Compared as digests, so that the length of what is stored does not show either.
  return timingSafeEqual(createHash("sha256").update(a).digest(), createHash("sha256").update(b).digest());
}
