import { Failure } from "../../base/index.ts";
import { encodeName } from "../../bytes/index.ts";
import type { EntryKind, FileEntry, Metadata } from "../../tree/index.ts";
import { AttributeWriter } from "./attribute-writer.ts";
import { writeBlockMap } from "./block-map.ts";
import { ContentWriter } from "./content-writer.ts";
import { layOutDirectory, type NewDirectoryItem } from "./directory-writer.ts";
import { readMappedBlocks } from "./mapped-blocks.ts";
import { encodeDeviceNumber, encodeInode, extraSizeOf } from "./inode-encoder.ts";
import { inodeBase, inodeFlag } from "./inode.ts";
import type { ExtVolume } from "./volume.ts";

const shortLinkBytes = 60;
const blockLimit32 = 2 ** 32;

export interface FileWriterOptions {
  readonly onBytes?: (count: number) => void;
  readonly onWarning?: (message: string) => void;
}

export interface NewDirectory {
  readonly inode: number;
  readonly parent: number;
  readonly path: string;
  readonly links: number;
  readonly metadata: Metadata;
  readonly items: Iterable<NewDirectoryItem>;
  readonly minimumBlocks: number;
}

/** What a file has outside of its inode's common fields. */
interface FileBody {
  readonly block: Uint8Array;
  readonly flags: number;
  readonly blockCount: number;
  readonly sizeBytes: number;
}

/** Writes single files: their content, attributes and inode. Names are not its business. */
export class FileWriter {
  readonly #volume: ExtVolume;
  readonly #attributes: AttributeWriter;
  readonly #options: FileWriterOptions;

  constructor(volume: ExtVolume, options: FileWriterOptions) {
    this.#volume = volume;
    this.#options = options;
    this.#attributes = new AttributeWriter(volume, extraSizeOf(volume.profile.inodeSizeBytes));
  }

  /** Writes anything but a directory; gives its inode number. */
  async write(entry: FileEntry): Promise<number> {
    const inode = this.#volume.takeInode();
    const body = await this.#writeBody(entry, inode);
    await this.#writeInode(inode, { kind: entry.kind, metadata: entry, path: entry.path, links: 1 }, body);
    return inode;
  }

  async writeDirectory(directory: NewDirectory): Promise<void> {
    const { inode, path, metadata, links } = directory;
    const { bytes, isIndexed } = layOutDirectory(this.#volume, directory);
    const content = [{ at: 0, bytes }];
    const body = await this.#writeContent({ sizeBytes: bytes.length, content }, path, inode);
    const flags = body.flags | (isIndexed ? inodeFlag.indexedDirectory : 0);
    await this.#writeInode(inode, { kind: "directory", metadata, path, links }, { ...body, flags });
  }

  /** Writes what was kept back for other files to share. */
  async finish(): Promise<void> {
    await this.#attributes.finish();
  }

  /** Gives back everything that a file took. */
  async release(inode: number): Promise<void> {
    let attributeBlock = 0;
    let raw = new Uint8Array(0);
    await this.#volume.inodeTable.update(inode, ({ bytes, at }) => {
      const fields = inodeBase.decode(bytes, at);
      attributeBlock = fields.xattrBlockLow + fields.xattrBlockHigh * 2 ** 32;
      raw = bytes.slice(at, at + inodeBase.sizeBytes);
    });
    await this.#volume.out.drain(); // so that nothing on its way there can overtake what comes there next
    if (attributeBlock !== 0) this.#attributes.release(attributeBlock);
    for (const run of await readMappedBlocks(this.#volume, raw)) this.#volume.blocks.release(run);
    await this.#volume.inodeTable.clear(inode);
    this.#volume.releaseInode(inode);
  }

  async #writeInode(
    inode: number,
    file: { kind: EntryKind; metadata: Metadata; path: string; links: number },
    body: FileBody,
  ): Promise<void> {
    const attributes = await this.#attributes.store(file.metadata.xattrs);
    for (const name of attributes.refused) {
      this.#options.onWarning?.(`the attribute ${name} of "${file.path}" was left out: ext cannot hold it`);
    }
    await this.#volume.inodeTable.update(inode, (slot) => {
      encodeInode(this.#volume, slot, {
        kind: file.kind,
        metadata: file.metadata,
        links: file.links,
        sizeBytes: body.sizeBytes,
        flags: body.flags,
        block: body.block,
        blockCount: body.blockCount + (attributes.block === 0 ? 0 : 1),
        attributeBlock: attributes.block,
        inInodeAttributes: attributes.inInode,
      });
    });
  }

  async #writeBody(entry: FileEntry, inode: number): Promise<FileBody> {
    if (entry.kind === "file") return this.#writeContent(entry, entry.path, inode);
    if (entry.kind === "symlink") return this.#writeLink(entry, inode);
    const block = entry.device === undefined ? new Uint8Array(60) : encodeDeviceNumber(entry.device);
    return { block, flags: 0, blockCount: 0, sizeBytes: 0 };
  }

  async #writeLink(entry: FileEntry, inode: number): Promise<FileBody> {
    const target = encodeName(entry.linkTarget ?? "");
    if (target.length < shortLinkBytes) {
      const block = new Uint8Array(60);
      block.set(target);
      return { block, flags: 0, blockCount: 0, sizeBytes: target.length };
    }
    const most = this.#volume.blockSizeBytes - 1;
    if (target.length > most) {
      throw new Failure(
        "failed",
        `cannot add the link "${entry.path}": its target has ${target.length} bytes, ${most} fit`,
        { hint: "use larger blocks" },
      );
    }
    const content = [{ at: 0, bytes: target }];
    return this.#writeContent({ sizeBytes: target.length, content }, entry.path, inode);
  }

  async #writeContent(file: Pick<FileEntry, "sizeBytes" | "content">, name: string, inode: number): Promise<FileBody> {
    const { sizeBytes } = file;
    this.#refuseTooLarge(sizeBytes, name);
    const writer = new ContentWriter(this.#volume, { name, sizeBytes }, this.#options.onBytes);
    if (file.content !== undefined) await writer.write(file.content);
    const map = await writeBlockMap(this.#volume, inode, writer.runs);
    return { block: map.block, flags: map.flags, blockCount: writer.blockCount + map.mapBlocks, sizeBytes };
  }

  #refuseTooLarge(sizeBytes: number, name: string): void {
    const { blockSizeBytes } = this.#volume;
    const perBlock = blockSizeBytes / 4;
    const mostBlocks = this.#volume.has("extent")
      ? blockLimit32 - 1
      : Math.min(12 + perBlock + perBlock ** 2 + perBlock ** 3, (blockLimit32 * 512) / blockSizeBytes - 1);
    if (sizeBytes <= mostBlocks * blockSizeBytes) return;
    throw new Failure(
      "failed",
      `cannot add "${name}": it has ${sizeBytes} bytes, a file has at most ${mostBlocks * blockSizeBytes} here`,
      { hint: "use ext4, or larger blocks" },
    );
  }
}
