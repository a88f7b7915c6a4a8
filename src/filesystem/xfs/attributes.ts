import { decodeName } from "../../bytes/index.ts";
import { damaged } from "../damaged.ts";
import { aclOf } from "./acl.ts";
import { checkHashTree } from "./check-hash-tree.ts";
import { ForkBlocks, type IndexBlock } from "./directory-blocks.ts";
import { forkFormats, type XfsInode } from "./inode.ts";
import { xfsRemoteHeader } from "./records.ts";
import { readRemote } from "./remote.ts";
import type { XfsSource } from "./xfs-source.ts";

/** Flags of an attribute ("Attribute Fork"). */
const flags = { local: 0x01, root: 0x02, secure: 0x04, parent: 0x08, verity: 0x10, incomplete: 0x80 } as const;
const hidden = flags.parent | flags.verity | flags.incomplete;

const magics = { node: [0xfebe, 0x3ebe], leaf: [0xfbee, 0x3bee] } as const;
const remoteMagic = 0x5841524d; // "XARM"
const nodeHeadBytes = [16, 64] as const;
const nodeCountAt = [12, 56] as const;
const leafHeadBytes = [32, 80] as const;
const leafCountAt = [12, 56] as const;
const entryBytes = 8;
const valueLimitBytes = 65_536;
const depthLimit = 5;
/** What all attributes of one file may take together. */
const totalLimitBytes = 256 * 2 ** 20;

/** ACLs have a form of their own, and names that no one else uses. */
const acls: Readonly<Record<string, string>> = {
  SGI_ACL_FILE: "system.posix_acl_access",
  SGI_ACL_DEFAULT: "system.posix_acl_default",
};

/** The extended attributes of a file by their full names; undefined where there are none. */
export async function readAttributes(
  source: XfsSource,
  inode: XfsInode,
): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
  const fork = inode.attributes;
  if (fork === undefined) return undefined;
  const found = new Found(`the attributes of inode ${inode.id}`);
  if (fork.format === forkFormats.local) readShort(fork.bytes, found);
  else if (fork.extentCount > 0)
    await new Leaves(source, await ForkBlocks.ofAttributes(source, inode), found, inode).read();
  return found.attributes.size === 0 ? undefined : found.attributes;
}

/** Looks at all nodes and leaves of the index to a file's attributes. Throws `damaged` where they contradict each other. */
export async function checkAttributeIndex(source: XfsSource, inode: XfsInode): Promise<void> {
  const fork = inode.attributes;
  if (fork === undefined || fork.format === forkFormats.local || fork.extentCount === 0) return;
  const { hasChecksums, blockBytes } = source.layout;
  const kind = hasChecksums ? 1 : 0;
  await checkHashTree({
    blocks: await ForkBlocks.ofAttributes(source, inode),
    root: 0,
    blockBytes,
    hasChecksums,
    leafStart: leafHeadBytes[kind],
    isLeaf: (magic) => magic === magics.leaf[kind],
  });
}

/** Collects attributes, and keeps count of what they take. */
class Found {
  readonly what: string;
  readonly attributes = new Map<string, Uint8Array>();
  #totalBytes = 0;

  constructor(what: string) {
    this.what = what;
  }

  add(kind: number, name: Uint8Array, value: Uint8Array): void {
    this.#totalBytes += name.length + value.length;
    if (this.#totalBytes > totalLimitBytes) throw damaged(this.what, `they are more than ${totalLimitBytes} bytes`);
    const text = decodeName(name);
    const acl = (kind & flags.root) === 0 ? undefined : acls[text];
    if (acl !== undefined) this.attributes.set(acl, aclOf(value, this.what));
    else this.attributes.set(`${spaceOf(kind)}.${text}`, value);
  }
}

function spaceOf(kind: number): string {
  if ((kind & flags.root) !== 0) return "trusted";
  return (kind & flags.secure) === 0 ? "user" : "security";
}

/** "Shortform Attributes", in the inode: the length of name and value, flags, both. */
function readShort(bytes: Uint8Array, found: Found): void {
  let at = 4;
  for (let n = 0; n < (bytes[2] ?? 0); n++) {
    const [nameLength = 0, valueLength = 0, kind = 0] = bytes.subarray(at, at + 3);
    const valueAt = at + 3 + nameLength;
    const end = valueAt + valueLength;
    if (nameLength === 0 || end > bytes.length) throw damaged(found.what, "they do not fit the inode");
    if ((kind & hidden) === 0) found.add(kind, bytes.subarray(at + 3, valueAt), bytes.slice(valueAt, end));
    at = end;
  }
}

/** "Leaf Attributes" and "Node Attributes": the first leaf, and from each the next. */
class Leaves {
  readonly #source: XfsSource;
  readonly #blocks: ForkBlocks;
  readonly #found: Found;
  readonly #id: number;
  readonly #kind: 0 | 1;

  constructor(source: XfsSource, blocks: ForkBlocks, found: Found, { id }: XfsInode) {
    this.#source = source;
    this.#blocks = blocks;
    this.#found = found;
    this.#id = id;
    this.#kind = source.layout.hasChecksums ? 1 : 0;
  }

  async read(): Promise<void> {
    const seen = new Set<number>();
    for (let next = await this.#firstLeaf(); ;) {
      if (seen.has(next)) throw damaged(this.#found.what, "they lead back into themselves");
      seen.add(next);
      const leaf = await this.#block(next);
      await this.#readLeaf(leaf);
      next = leaf.view.getUint32(0);
      if (next === 0) return;
    }
  }

  #block(number: number): Promise<IndexBlock> {
    return this.#blocks.indexBlock(number, this.#source.layout.blockBytes);
  }

  async #firstLeaf(): Promise<number> {
    let number = 0;
    for (let depth = 0; depth <= depthLimit; depth++) {
      const { magic, view } = await this.#block(number);
      if (magic !== magics.node[this.#kind]) return number;
      if (view.getUint16(nodeCountAt[this.#kind]) === 0) break;
      number = view.getUint32(nodeHeadBytes[this.#kind] + 4);
    }
    throw damaged(this.#found.what, "their index has no end");
  }

  async #readLeaf({ bytes, view, magic }: IndexBlock): Promise<void> {
    const { what } = this.#found;
    if (magic !== magics.leaf[this.#kind]) throw damaged(what, "there is no leaf where their index has one");
    const count = view.getUint16(leafCountAt[this.#kind]);
    const start = leafHeadBytes[this.#kind];
    if (start + count * entryBytes > bytes.length) throw damaged(what, `a leaf cannot have ${count} entries`);
    for (let n = 0; n < count; n++) {
      const at = start + n * entryBytes;
      const kind = bytes[at + 6] ?? 0;
      if ((kind & hidden) === 0) await this.#readEntry({ bytes, view }, view.getUint16(at + 4), kind);
    }
  }

  async #readEntry({ bytes, view }: Pick<IndexBlock, "bytes" | "view">, at: number, kind: number): Promise<void> {
    const isLocal = (kind & flags.local) !== 0;
    const headBytes = isLocal ? 3 : 9;
    const nameLength = at + headBytes <= bytes.length ? (bytes[at + headBytes - 1] ?? 0) : 0;
    const nameEnd = at + headBytes + nameLength;
    const valueBytes = nameLength === 0 ? 0 : isLocal ? view.getUint16(at) : view.getUint32(at + 4);
    const isTooLong = valueBytes > (isLocal ? bytes.length - nameEnd : valueLimitBytes);
    if (nameLength === 0 || nameEnd > bytes.length || isTooLong) {
      throw damaged(this.#found.what, `there is none at ${at}`);
    }
    const name = bytes.subarray(at + headBytes, nameEnd);
    const value = isLocal
      ? bytes.slice(nameEnd, nameEnd + valueBytes)
      : await this.#remoteValue(view.getUint32(at), valueBytes);
    this.#found.add(kind, name, value);
  }

  /** A value in blocks of its own; with checksums each block has a header. */
  async #remoteValue(block: number, valueBytes: number): Promise<Uint8Array> {
    const { blockBytes, hasChecksums } = this.#source.layout;
    const value = new Uint8Array(valueBytes);
    const { what } = this.#found;
    if (!hasChecksums) {
      if (valueBytes > 0) value.set(await this.#blocks.bytes(block * blockBytes, valueBytes));
      return value;
    }
    const room = blockBytes - xfsRemoteHeader.sizeBytes;
    for (let offset = 0, number = block; offset < valueBytes; offset += room, number++) {
      const piece = { deviceAt: this.#blocks.deviceAt(number), lengthBytes: blockBytes };
      const into = value.subarray(offset, offset + room);
      const have = await readRemote(this.#source, piece, { magic: remoteMagic, owner: this.#id, what, into, offset });
      if (have !== into.length) throw damaged(what, `a piece of a value has ${have} of ${into.length} bytes`);
    }
    return value;
  }
}
