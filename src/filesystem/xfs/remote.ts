import { damaged } from "../damaged.ts";
import { isSealed } from "./checksum.ts";
import { xfsRemoteHeader } from "./records.ts";
import type { XfsSource } from "./xfs-source.ts";

/** What a piece of a target or of a value has to be. */
interface Wanted {
  readonly magic: number;
  readonly owner: number;
  readonly what: string;
  /** What is still missing. */
  readonly into: Uint8Array;
  readonly offset: number;
}

/** Reads a piece of what did not fit its own place, without its header; gives how many bytes it had. */
export async function readRemote(
  source: XfsSource,
  { deviceAt, lengthBytes }: { readonly deviceAt: number; readonly lengthBytes: number },
  { magic, owner, what, into, offset }: Wanted,
): Promise<number> {
  const bytes = await source.structures.bytes(deviceAt, lengthBytes);
  const start = source.layout.hasChecksums ? xfsRemoteHeader.sizeBytes : 0;
  let haveBytes = Math.min(lengthBytes - start, into.length);
  if (start > 0) {
    const header = xfsRemoteHeader.decode(bytes);
    if (header.magic !== magic) throw damaged(what, "there is no piece of it where it should be");
    if (!isSealed(bytes, xfsRemoteHeader.fields.checksum[0])) throw damaged(what, "its checksum does not match");
    if (header.owner !== owner || header.place * 512 !== deviceAt || header.offset !== offset) {
      throw damaged(what, "a piece of something else is where it should be");
    }
    if (header.lengthBytes > haveBytes) throw damaged(what, `a piece of it cannot have ${header.lengthBytes} bytes`);
    haveBytes = header.lengthBytes;
  }
  into.set(bytes.subarray(start, start + haveBytes));
  return haveBytes;
}
