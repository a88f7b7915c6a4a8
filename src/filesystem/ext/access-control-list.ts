/**
 * POSIX ACLs stand on disk in a shorter form than in the kernel's xattr interface (fs/ext4/acl.h,
 * linux/posix_acl_xattr.h): version 1, and no id where the tag needs none.
 */

const interfaceVersion = 2;
const diskVersion = 1;
const undefinedId = 0xffffffff;
const tagsWithId: ReadonlySet<number> = new Set([0x02, 0x08]); // a named user, a named group

/** From the kernel's interface to the disk; undefined where the bytes are no ACL of version 2. */
export function aclToDisk(value: Uint8Array): Uint8Array | undefined {
  if (value.length < 4 || (value.length - 4) % 8 !== 0) return undefined;
  const from = new DataView(value.buffer, value.byteOffset, value.length);
  if (from.getUint32(0, true) !== interfaceVersion) return undefined;
  const to = new DataView(new ArrayBuffer(value.length));
  to.setUint32(0, diskVersion, true);
  let end = 4;
  for (let at = 4; at < value.length; at += 8) {
    const tag = from.getUint16(at, true);
    to.setUint16(end, tag, true);
    to.setUint16(end + 2, from.getUint16(at + 2, true), true);
    end += 4;
    if (tagsWithId.has(tag)) {
      to.setUint32(end, from.getUint32(at + 4, true), true);
      end += 4;
    }
  }
  return new Uint8Array(to.buffer, 0, end);
}

/** From the disk to the kernel's interface; undefined where the bytes are no ACL of version 1. */
export function aclFromDisk(value: Uint8Array): Uint8Array | undefined {
  if (value.length < 4) return undefined;
  const from = new DataView(value.buffer, value.byteOffset, value.length);
  if (from.getUint32(0, true) !== diskVersion) return undefined;
  const to = new DataView(new ArrayBuffer(4 + (value.length - 4) * 2));
  to.setUint32(0, interfaceVersion, true);
  let end = 4;
  for (let at = 4; at < value.length; end += 8) {
    if (at + 4 > value.length) return undefined;
    const tag = from.getUint16(at, true);
    to.setUint16(end, tag, true);
    to.setUint16(end + 2, from.getUint16(at + 2, true), true);
    at += 4;
    if (tagsWithId.has(tag)) {
      if (at + 4 > value.length) return undefined;
      to.setUint32(end + 4, from.getUint32(at, true), true);
      at += 4;
    } else {
      to.setUint32(end + 4, undefinedId, true);
    }
  }
  return new Uint8Array(to.buffer, 0, end);
}

const tag = { owner: 0x01, owningGroup: 0x04, mask: 0x10, others: 0x20 } as const;

/** An access ACL, in the interface's form, as chmod(2) leaves it: owner, mask (or group) and others follow the mode. */
export function syncAccessControlList(value: Uint8Array, mode: number): Uint8Array {
  const changed = Uint8Array.from(value);
  const view = new DataView(changed.buffer);
  const tags: number[] = [];
  for (let at = 4; at + 8 <= changed.length; at += 8) tags.push(view.getUint16(at, true));
  const groupTag = tags.includes(tag.mask) ? tag.mask : tag.owningGroup;
  const permissions = new Map([
    [tag.owner as number, (mode >>> 6) & 7],
    [groupTag, (mode >>> 3) & 7],
    [tag.others, mode & 7],
  ]);
  tags.forEach((one, n) => {
    const bits = permissions.get(one);
    if (bits !== undefined) view.setUint16(4 + n * 8 + 2, bits, true);
  });
  return changed;
}
