import { Failure } from "../../base/index.ts";
import { decodeName, encodeName } from "../../bytes/index.ts";

/** Without the key an encrypted name is bytes that may hold anything, `/` and NUL too. It is shown as base64url. */
const marker = "encrypted-";

/** The name under which an entry of an encrypted directory is listed and found. */
export function shownName(bytes: Uint8Array, isEncrypted: boolean): string {
  return isEncrypted ? marker + Buffer.from(bytes).toString("base64url") : decodeName(bytes);
}

/** The bytes that an entry of this shown name has, undefined where it cannot be the name of one. */
export function nameBytesOf(name: string, isEncrypted: boolean): Uint8Array | undefined {
  if (!isEncrypted) return encodeName(name);
  if (!name.startsWith(marker)) return undefined;
  return Buffer.from(name.slice(marker.length), "base64url");
}

export function refuseEncrypted(what: string): never {
  throw new Failure("unsupported", `cannot read ${what}: it is encrypted`);
}
