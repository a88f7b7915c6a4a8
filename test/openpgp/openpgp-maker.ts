import * as crypto from "node:crypto";

/**
 * Makes OpenPGP keys and signatures for tests, good ones and wrong ones (RFC 9580). gpgv's word on the good ones is in
 * test/peers/openpgp.test.ts.
 */
export interface MakerKey {
  readonly kind: KeyKind;
  readonly createdMs: number;
  readonly privateKey: crypto.KeyObject;
  readonly body: Buffer;
  readonly fingerprint: string;
}

export type KeyKind = "rsa" | "ed25519" | "eddsa" | "p256";

export interface SignatureOptions {
  readonly type: number;
  readonly createdMs: number;
  /** RFC 9580 §9.5; 10 is SHA-512. */
  readonly hash?: number;
  /** Hashed subpackets besides time and issuer: kind (with 0x80 for critical) and content. */
  readonly subpackets?: readonly (readonly [kind: number, content: Uint8Array])[];
  readonly withoutIssuer?: boolean;
}

const hashNames: Readonly<Record<number, string>> = { 1: "md5", 2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512" };

export const day = 24 * 60 * 60 * 1000;

export function makeKey(kind: KeyKind, createdMs: number, modulusLength = 2048): MakerKey {
  const [privateKey, material] = newMaterial(kind, modulusLength);
  const body = Buffer.concat([Buffer.of(4), u32(createdMs / 1000), material]);
  const fingerprint = crypto.hash("sha1", keyHashed(body), "hex").toUpperCase();
  return { kind, createdMs, privateKey, body, fingerprint };
}

function newMaterial(kind: KeyKind, modulusLength: number): [crypto.KeyObject, Buffer] {
  if (kind === "rsa") {
    const { privateKey, publicKey } = crypto.generateKeyPairSync("rsa", { modulusLength });
    const { n = "", e = "" } = publicKey.export({ format: "jwk" });
    return [privateKey, Buffer.concat([Buffer.of(1), mpi(fromBase64(n)), mpi(fromBase64(e))])];
  }
  if (kind === "p256") {
    const { privateKey, publicKey } = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { x = "", y = "" } = publicKey.export({ format: "jwk" });
    const point = Buffer.concat([Buffer.of(4), fromBase64(x), fromBase64(y)]);
    return [privateKey, Buffer.concat([Buffer.of(19, 8), Buffer.from("2a8648ce3d030107", "hex"), mpi(point)])];
  }
  const { privateKey, publicKey } = crypto.generateKeyPairSync("ed25519");
  const point = fromBase64(publicKey.export({ format: "jwk" }).x ?? "");
  if (kind === "ed25519") return [privateKey, Buffer.concat([Buffer.of(27), point])];
  const curve = Buffer.from("2b06010401da470f01", "hex");
  return [privateKey, Buffer.concat([Buffer.of(22, 9), curve, mpi(Buffer.concat([Buffer.of(0x40), point]))])];
}

/** The body of a signature packet over `data`. */
function signatureBody(key: MakerKey, data: Uint8Array, options: SignatureOptions): Buffer {
  const hash = options.hash ?? 10;
  const algorithm = key.body[5] ?? 0;
  const issuer = Buffer.concat([Buffer.of(4), Buffer.from(key.fingerprint, "hex")]);
  const hashed = Buffer.concat([
    subpacket(2, u32(options.createdMs / 1000)),
    ...(options.withoutIssuer === true ? [] : [subpacket(33, issuer)]),
    ...(options.subpackets ?? []).map(([kind, content]) => subpacket(kind, content)),
  ]);
  const part = Buffer.concat([Buffer.of(4, options.type, algorithm, hash), u16(hashed.length), hashed]);
  const whole = Buffer.concat([data, part, Buffer.of(4, 0xff), u32(part.length)]);
  const digest = crypto.hash(hashNames[hash] ?? "", whole, "buffer");
  // gpg finds the key by its short ID only, which usually is in the part that is not hashed.
  const hint =
    options.withoutIssuer === true ? Buffer.alloc(0) : subpacket(16, Buffer.from(key.fingerprint.slice(-16), "hex"));
  return Buffer.concat([
    part,
    u16(hint.length),
    hint,
    digest.subarray(0, 2),
    numbers(key, hashNames[hash] ?? "", whole, digest),
  ]);
}

function numbers(key: MakerKey, hash: string, whole: Buffer, digest: Buffer): Buffer {
  if (key.kind === "rsa") return mpi(crypto.sign(hash, whole, key.privateKey));
  if (key.kind === "p256") {
    const pair = crypto.sign(hash, whole, { key: key.privateKey, dsaEncoding: "ieee-p1363" });
    return Buffer.concat([mpi(pair.subarray(0, 32)), mpi(pair.subarray(32))]);
  }
  const value = crypto.sign(null, digest, key.privateKey);
  return key.kind === "ed25519" ? value : Buffer.concat([mpi(value.subarray(0, 32)), mpi(value.subarray(32))]);
}

export interface CertificateOptions {
  readonly flags?: number;
  readonly lifetimeMs?: number;
  readonly hash?: number;
  /** Signing subkeys. */
  readonly subkeys?: readonly {
    readonly key: MakerKey;
    readonly flags?: number;
    readonly lifetimeMs?: number;
    readonly withoutBackSignature?: boolean;
    readonly backSigner?: MakerKey;
  }[];
  /** Of the primary key. */
  readonly revocation?: { readonly atMs: number; readonly reason: number };
  /** Of the first subkey. */
  readonly subkeyRevocation?: { readonly atMs: number; readonly reason: number };
}

/** A certificate in binary form: a primary key, one user ID, subkeys. */
export function certificate(primary: MakerKey, options: CertificateOptions = {}): Buffer {
  const userId = Buffer.from("Test Archive <archive@example.org>");
  const { hash = 10 } = options;
  const certifies = Buffer.concat([keyHashed(primary.body), Buffer.of(0xb4), u32(userId.length), userId]);
  const parts = [packet(6, primary.body)];
  if (options.revocation !== undefined) {
    parts.push(revocationPacket(primary, 0x20, keyHashed(primary.body), options.revocation));
  }
  const self = {
    type: 0x13,
    createdMs: primary.createdMs,
    hash,
    subpackets: statements(options.flags ?? 3, options.lifetimeMs),
  };
  parts.push(packet(13, userId), packet(2, signatureBody(primary, certifies, self)));
  for (const [n, subkey] of (options.subkeys ?? []).entries()) {
    const bound = Buffer.concat([keyHashed(primary.body), keyHashed(subkey.key.body)]);
    const { createdMs } = subkey.key;
    const back = signatureBody(subkey.backSigner ?? subkey.key, bound, { type: 0x19, createdMs });
    const subpackets = [
      ...statements(subkey.flags ?? 2, subkey.lifetimeMs),
      ...(subkey.withoutBackSignature === true ? [] : [[32, back] as const]),
    ];
    parts.push(packet(14, subkey.key.body));
    if (n === 0 && options.subkeyRevocation !== undefined) {
      parts.push(revocationPacket(primary, 0x28, bound, options.subkeyRevocation));
    }
    parts.push(packet(2, signatureBody(primary, bound, { type: 0x18, createdMs, subpackets })));
  }
  return Buffer.concat(parts);
}

function statements(flags: number, lifetimeMs: number | undefined): (readonly [number, Uint8Array])[] {
  return [[27, Buffer.of(flags)], ...(lifetimeMs === undefined ? [] : [[9, u32(lifetimeMs / 1000)] as const])];
}

function revocationPacket(
  key: MakerKey,
  type: number,
  data: Buffer,
  { atMs, reason }: { readonly atMs: number; readonly reason: number },
): Buffer {
  return packet(2, signatureBody(key, data, { type, createdMs: atMs, subpackets: [[29, Buffer.of(reason)]] }));
}

/** A cleartext-signed message of several signers. */
export function clearsign(
  text: string,
  signers: readonly (readonly [key: MakerKey, options: Omit<SignatureOptions, "type">])[],
): string {
  const lines = text.replace(/\n$/, "").split("\n");
  const hashed = Buffer.from(lines.map((line) => line.replace(/[ \t\r]+$/, "")).join("\r\n"));
  const packets = signers.map(([key, options]) => packet(2, signatureBody(key, hashed, { type: 1, ...options })));
  const escaped = lines.map((line) => (line.startsWith("-") ? `- ${line}` : line)).join("\n");
  return `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${escaped}\n${armour("SIGNATURE", Buffer.concat(packets))}`;
}

/** Detached signatures in binary form. */
export function detached(
  content: Uint8Array,
  key: MakerKey,
  options: Omit<SignatureOptions, "type"> & { readonly type?: number },
): Buffer {
  return packet(2, signatureBody(key, content, { type: 0, ...options }));
}

export function armour(kind: string, bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes)
    .toString("base64")
    .replaceAll(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN PGP ${kind}-----\n\n${base64}\n=${crc24(bytes)}\n-----END PGP ${kind}-----\n`;
}

function crc24(bytes: Uint8Array): string {
  let crc = 0xb704ce;
  for (const octet of bytes) {
    crc ^= octet << 16;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x800000) === 0 ? crc << 1 : (crc << 1) ^ 0x1864cfb;
  }
  return Buffer.of((crc >> 16) & 0xff, (crc >> 8) & 0xff, crc & 0xff).toString("base64");
}

export function packet(tag: number, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(0xc0 | tag, 0xff), u32(body.length), body]);
}

function subpacket(kind: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(0xff), u32(content.length + 1), Buffer.of(kind), content]);
}

function keyHashed(body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(0x99), u16(body.length), body]);
}

function mpi(number: Uint8Array): Buffer {
  const first = number.findIndex((octet) => octet !== 0);
  const bytes = number.subarray(first < 0 ? number.length : first);
  const bits = bytes.length === 0 ? 0 : bytes.length * 8 - Math.clz32(bytes[0] ?? 0) + 24;
  return Buffer.concat([u16(bits), bytes]);
}

function fromBase64(text: string): Buffer {
  return Buffer.from(text, "base64url");
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(Math.floor(value));
  return bytes;
}
