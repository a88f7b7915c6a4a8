import { argon2 as argon2WithCallback, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const argon2 = promisify(argon2WithCallback);

/** RFC 9106 §4, the second recommended choice, as Dovecot's ARGON2ID. */
const usualMemoryKib = 65_536;
const usualPasses = 3;
const usualTagBytes = 32;
const saltBytes = 16;
/** More than that would let one login take the machine's memory. */
const memoryLimitKib = 2 ** 21;
const passesLimit = 1000;

/** A password as this program keeps it: `{ARGON2ID}$argon2id$v=19$…`, which Dovecot reads too. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const tag = await argon2("argon2id", {
    message: password,
    nonce: salt,
    memory: usualMemoryKib,
    passes: usualPasses,
    parallelism: 1,
    tagLength: usualTagBytes,
  });
  const parameters = `m=${usualMemoryKib},t=${usualPasses},p=1`;
  return `{ARGON2ID}$argon2id$v=19$${parameters}$${unpadded(salt)}$${unpadded(tag)}`;
}

/** Whether a password fits `$argon2id$v=19$m=65536,t=3,p=1$salt$tag` (or argon2i). False for what cannot be read. */
export async function verifyArgon2(password: string, encoded: string): Promise<boolean> {
  const match = /^\$(argon2id?)\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,3})\$([\w+/=]+)\$([\w+/=]+)$/.exec(encoded);
  if (match === null) return false;
  const [, kind = "", memory, passes, parallelism, salt = "", tag = ""] = match;
  if ((kind !== "argon2id" && kind !== "argon2i") || Number(memory) > memoryLimitKib || Number(passes) > passesLimit) {
    return false;
  }
  const expected = Buffer.from(tag, "base64");
  try {
    const found = await argon2(kind, {
      message: password,
      nonce: Buffer.from(salt, "base64"),
      memory: Number(memory),
      passes: Number(passes),
      parallelism: Number(parallelism),
      tagLength: expected.length,
    });
    return timingSafeEqual(found, expected);
  } catch {
    return false; // parameters that the algorithm does not allow
  }
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}
