import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** What lists of known hosts say of a host's key: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT. */
export interface KnownKeys {
  /** The types of key that the host is known by: `ssh-ed25519`. */
  readonly types: readonly string[];
  judge(key: Uint8Array): "known" | "unknown" | "changed" | "revoked";
}

interface KnownKey {
  readonly type: string;
  readonly key: Buffer;
  readonly isRevoked: boolean;
}

const usualPort = 22;

/** Looks a host up in the texts of `known_hosts` files. */
export function knownKeysOf(texts: readonly string[], host: string, port: number): KnownKeys {
  const name = port === usualPort ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
  const found = texts.flatMap((text) => text.split("\n").flatMap((line) => keyFor(line, name) ?? []));
  const types = found.filter(({ isRevoked }) => !isRevoked).map(({ type }) => type);
  return {
    types: [...new Set(types)],
    judge(key) {
      const same = found.filter((one) => one.key.equals(key));
      if (same.some(({ isRevoked }) => isRevoked)) return "revoked";
      if (same.length > 0) return "known";
      return types.includes(keyType(key)) ? "changed" : "unknown";
    },
  };
}

/** As `ssh-keygen -l` prints it. */
export function fingerprintOf(key: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** The type that a key begins with. */
export function keyType(key: Uint8Array): string {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.length);
  return bytes.length < 4 ? "" : bytes.toString("latin1", 4, 4 + bytes.readUInt32BE(0));
}

function keyFor(line: string, name: string): KnownKey | undefined {
  const words = line.trim().split(/\s+/);
  const marker = words[0]?.startsWith("@") === true ? words.shift() : undefined;
  const [hosts = "", type = "", base64 = ""] = words;
  if (hosts === "" || hosts.startsWith("#") || base64 === "") return undefined;
  if (marker !== undefined && marker !== "@revoked") return undefined; // certificates are not used here
  if (!isNamed(hosts, name)) return undefined;
  return { type, key: Buffer.from(base64, "base64"), isRevoked: marker !== undefined };
}

function isNamed(hosts: string, name: string): boolean {
  if (hosts.startsWith("|")) return isHashed(hosts, name);
  const patterns = hosts.toLowerCase().split(",");
  if (patterns.some((pattern) => pattern.startsWith("!") && matches(pattern.slice(1), name))) return false;
  return patterns.some((pattern) => !pattern.startsWith("!") && matches(pattern, name));
}

/** `|1|salt|hash` */
function isHashed(hosts: string, name: string): boolean {
  const [, kind, salt = "", hash = ""] = hosts.split("|");
  if (kind !== "1") return false;
  const wanted = Buffer.from(hash, "base64");
  const found = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest();
  return wanted.length === found.length && timingSafeEqual(wanted, found);
}

/** `*` and `?` as in ssh_config(5), PATTERNS. */
export function matches(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[\\^$.+()[\]{}|]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "i").test(name);
}
