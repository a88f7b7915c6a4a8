import { blake2b256, crc32c, xxhash64 } from "../../bytes/index.ts";

/** How btrfs proves its structures and data. */
export interface ChecksumKind {
  /** As mkfs.btrfs calls it. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly of: (bytes: Uint8Array) => Uint8Array;
}

/** By the number that the superblock has for them. */
export const checksumKinds: readonly ChecksumKind[] = [
  { name: "crc32c", sizeBytes: 4, of: (checked) => littleEndian(BigInt(~crc32c(checked) >>> 0), 4) },
  { name: "xxhash64", sizeBytes: 8, of: (checked) => littleEndian(xxhash64(checked), 8) },
  { name: "sha256", sizeBytes: 32, of: sha256 },
  { name: "blake2b", sizeBytes: 32, of: blake2b256 },
];

/** Superblock and nodes begin with room for a checksum of all that follows. */
const checkedFrom = 32;

/** Whether a superblock or a node has the checksum that it says. */
export function isSealed(kind: ChecksumKind | undefined, raw: Uint8Array): boolean {
  return kind !== undefined && isSum(raw, 0, kind.of(raw.subarray(checkedFrom)));
}

/** Whether a checksum stands at a place. */
export function isSum(bytes: Uint8Array, at: number, sum: Uint8Array): boolean {
  for (let n = 0; n < sum.length; n++) if (bytes[at + n] !== sum[n]) return false;
  return true;
}

/** Every file that is listed makes btrfs be asked for; few of them need this. */
function sha256(checked: Uint8Array): Uint8Array {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(checked).digest();
}

function littleEndian(value: bigint, sizeBytes: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, value, true);
  return new Uint8Array(view.buffer, 0, sizeBytes);
}
