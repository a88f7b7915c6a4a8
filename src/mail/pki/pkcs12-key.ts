import * as crypto from "node:crypto";

/** What a derived key is for (RFC 7292, appendix B.3). */
const derivationPurposes = { key: 1, iv: 2, mac: 3 } as const;

export interface DerivationRequest {
  readonly hash: "sha1" | "sha256";
  readonly passphrase: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly purpose: keyof typeof derivationPurposes;
  readonly lengthBytes: number;
}

/** Both hashes work on blocks of 512 bits. */
const blockBytes = 64;

/** How PKCS #12 makes keys of a passphrase (RFC 7292, appendix B.2). */
export function derivePkcs12Key(request: DerivationRequest): Buffer {
  const { hash, passphrase, salt, iterations, purpose, lengthBytes } = request;
  const filled = Buffer.concat([repeated(salt), repeated(wideText(passphrase))]);
  const purposeBytes = Buffer.alloc(blockBytes, derivationPurposes[purpose]);
  const parts: Buffer[] = [];
  for (let length = 0; length < lengthBytes;) {
    let digest = crypto.createHash(hash).update(purposeBytes).update(filled).digest();
    for (let round = 1; round < iterations; round++) digest = crypto.createHash(hash).update(digest).digest();
    parts.push(digest);
    length += digest.length;
    const increment = repeatedTo(digest, blockBytes);
    for (let at = 0; at < filled.length; at += blockBytes) addPlusOne(filled.subarray(at, at + blockBytes), increment);
  }
  return Buffer.concat(parts).subarray(0, lengthBytes);
}

/** UTF-16, most significant byte first, with its end (RFC 7292, appendix B.1). */
function wideText(text: string): Buffer {
  return Buffer.from(`${text}\0`, "utf16le").swap16();
}

/** As often as fills whole blocks. */
function repeated(bytes: Uint8Array): Buffer {
  return repeatedTo(bytes, Math.ceil(bytes.length / blockBytes) * blockBytes);
}

function repeatedTo(bytes: Uint8Array, lengthBytes: number): Buffer {
  return Buffer.alloc(lengthBytes, bytes);
}

/** block + increment + 1, as numbers of 512 bits. */
function addPlusOne(block: Buffer, increment: Buffer): void {
  let carry = 1;
  for (let at = block.length - 1; at >= 0; at--) {
    const sum = (block[at] ?? 0) + (increment[at] ?? 0) + carry;
    block[at] = sum & 0xff;
    carry = sum >> 8;
  }
}
