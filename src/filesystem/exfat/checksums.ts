/** §3.4, §7.2.2: of the boot region and the up-case table; `isLeftOut` says which bytes do not count. */
export function checksum32(bytes: Uint8Array, isLeftOut: (at: number) => boolean = () => false): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (!isLeftOut(at)) sum = (((sum << 31) | (sum >>> 1)) + (bytes[at] ?? 0)) >>> 0;
  }
  return sum;
}

/** §6.3.3: of a set of entries, without the checksum itself. */
export function setChecksum(set: Uint8Array): number {
  return sum16(set, 2, 4);
}

/** §7.6.4: of a name in upper case, as UTF-16. */
export function nameHash(units: Uint8Array): number {
  return sum16(units, 0, 0);
}

function sum16(bytes: Uint8Array, leftOutFrom: number, leftOutTo: number): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (at >= leftOutFrom && at < leftOutTo) continue;
    sum = (((sum & 1) << 15) + (sum >>> 1) + (bytes[at] ?? 0)) & 0xffff;
  }
  return sum;
}
