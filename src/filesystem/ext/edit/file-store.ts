import { Failure } from "../../../base/index.ts";
import type { Content } from "../../../tree/index.ts";
import type { NewContent } from "../../editable-file-system.ts";
import { inlineDataRest } from "../attribute-list.ts";
import { readAttributes } from "../attribute-reader.ts";
import { hasBlocks } from "../block-runs.ts";
import { inlineContent } from "../content-reader.ts";
import { ContentWriter } from "../content-writer.ts";
import type { ExtInode } from "../ext-inode.ts";
import { inodeBase, inodeFlag } from "../inode.ts";
import { hasFlag } from "../inode-reader.ts";
import type { AttributeStore } from "./attribute-store.ts";
import type { EditVolume } from "./edit-volume.ts";
import { FileMap } from "./file-map.ts";
import { setSize, setTime, type InodeStore } from "./inode-store.ts";

const largeFileBytes = 2 ** 31;
/** Up to so many blocks are overwritten in place through the journal; more go to new places. */
const journalledBlocks = 64;

/** The data of regular files, replaced, overwritten and cut. */
export class FileStore {
  readonly #volume: EditVolume;
  readonly #inodes: InodeStore;
  readonly #attributes: AttributeStore;

  constructor(volume: EditVolume, inodes: InodeStore, attributes: AttributeStore) {
    this.#volume = volume;
    this.#inodes = inodes;
    this.#attributes = attributes;
  }

  /** Gives a file other data, whatever it had. */
  async replace(inode: ExtInode, content: NewContent): Promise<void> {
    const map = FileMap.empty(this.#volume, inode);
    await this.writeContent(map, content, `inode ${inode.id}`);
    if (hasBlocks(this.#volume.layout, inode)) (await FileMap.read(this.#volume, inode)).release();
    await this.#storeData(inode, map, content.sizeBytes);
  }

  async write(inode: ExtInode, at: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    const { map, sizeBytes } = await this.#mapOf(inode);
    if (at > sizeBytes) await this.#clearTail(map, sizeBytes);
    await this.#overwrite(map, { at, bytes, sizeBytes });
    await this.#storeData(inode, map, Math.max(sizeBytes, at + bytes.length));
  }

  async truncate(inode: ExtInode, sizeBytes: number): Promise<void> {
    const { map, sizeBytes: before } = await this.#mapOf(inode);
    const firstCut = Math.ceil(sizeBytes / this.#volume.blockSizeBytes);
    map.cut(firstCut, Number.MAX_SAFE_INTEGER - firstCut);
    await this.#clearTail(map, Math.min(sizeBytes, before));
    await this.#storeData(inode, map, sizeBytes);
  }

  /** Lets go of the blocks behind the end of a file, as a cut that was not finished would have. */
  async finishCut(inode: ExtInode): Promise<void> {
    const isInline = hasFlag(inode, "inlineData");
    if (isInline && inode.sizeBytes <= inode.block.length && inlineDataRest(inode).length === 0) {
      const kept = inodeBase.fields.block[0] + inode.sizeBytes;
      const end = inodeBase.fields.block[0] + inode.block.length;
      await this.#inodes.change(inode.id, (bytes) => bytes.fill(0, kept, end));
      return;
    }
    if (isInline) await this.#attributes.refuseUntouchable(inode);
    const { map, sizeBytes } = await this.#mapOf(inode);
    const firstCut = Math.ceil(sizeBytes / this.#volume.blockSizeBytes);
    map.cut(firstCut, Number.MAX_SAFE_INTEGER - firstCut);
    // A block of an encrypted file is encrypted as a whole.
    if (!hasFlag(inode, "encrypted")) await this.#clearTail(map, sizeBytes);
    await this.#storeData(inode, map, sizeBytes);
  }

  /** Streams content into new blocks. */
  async writeContent(map: FileMap, { sizeBytes, content }: NewContent, name: string): Promise<void> {
    if (sizeBytes >= largeFileBytes) this.#volume.addFeature("large_file");
    if (content === undefined) return;
    let goal = map.goalFor(0);
    const { blockSizeBytes, out } = this.#volume;
    const takeRun = async (count: number) => {
      const run = await this.#volume.takeBlocks(goal, count);
      goal = run.start + run.length;
      return run;
    };
    const writer = new ContentWriter({ blockSizeBytes, out, takeRun }, { name, sizeBytes });
    await writer.write(content);
    for (const run of writer.runs) map.put(run.logical, run);
  }

  /** Throws `failed` for a size that no file can have here. */
  refuseTooLarge(sizeBytes: number, what: string): void {
    const { blockSizeBytes } = this.#volume;
    const perBlock = blockSizeBytes / 4;
    const mostBlocks = this.#volume.has("extent")
      ? 2 ** 32 - 1
      : Math.min(12 + perBlock + perBlock ** 2 + perBlock ** 3, 2 ** 32 / (blockSizeBytes / 512) - 1);
    if (sizeBytes <= mostBlocks * blockSizeBytes) return;
    throw new Failure("failed", `cannot write ${what}: ${sizeBytes} bytes are more than a file here can have`);
  }

  /** The map of a regular file; content in the inode moves to a block first. */
  async #mapOf(inode: ExtInode): Promise<{ readonly map: FileMap; readonly sizeBytes: number }> {
    const { sizeBytes } = inode;
    if (!hasFlag(inode, "inlineData")) return { map: await FileMap.read(this.#volume, inode), sizeBytes };
    const map = FileMap.empty(this.#volume, inode);
    const content: Content = sizeBytes === 0 ? [] : [{ at: 0, bytes: inlineContent(inode) }];
    await this.writeContent(map, { sizeBytes, content }, `inode ${inode.id}`);
    return { map, sizeBytes };
  }

  /** Writes size and map of a file, whose data is in blocks from now on. */
  async #storeData(inode: ExtInode, map: FileMap, sizeBytes: number): Promise<void> {
    if (sizeBytes >= largeFileBytes) this.#volume.addFeature("large_file");
    if (hasFlag(inode, "inlineData")) {
      await this.#attributes.replace(inode, (await readAttributes(this.#volume.source, inode)) ?? new Map());
    }
    const attributeBlocks = await this.#inodes.attributeBlocks(await this.#inodes.read(inode.id));
    const { block, blockCount, flag } = await map.store();
    const patchCount = this.#inodes.blockCount(blockCount + attributeBlocks);
    await this.#inodes.change(inode.id, (bytes) => {
      const flags = inodeBase.get(bytes, "flags") & ~(inodeFlag.extents | inodeFlag.inlineData);
      inodeBase.patch(bytes, { block, flags: (flags | flag) >>> 0 });
      setSize(bytes, sizeBytes);
      patchCount(bytes);
      setTime(bytes, "modified", this.#volume.now);
      setTime(bytes, "changed", this.#volume.now);
    });
  }

  /** Makes zero what stands between the end of a file and the end of its last block. */
  async #clearTail(map: FileMap, sizeBytes: number): Promise<void> {
    const { blockSizeBytes } = this.#volume;
    const used = sizeBytes % blockSizeBytes;
    if (used === 0 || map.blockAt(Math.floor(sizeBytes / blockSizeBytes)) === undefined) return;
    await this.#overwrite(map, { at: sizeBytes, bytes: new Uint8Array(blockSizeBytes - used), sizeBytes });
  }

  /** Overwrites a part: a little of it in place through the journal, else in new blocks. */
  async #overwrite(
    map: FileMap,
    { at, bytes, sizeBytes }: { readonly at: number; readonly bytes: Uint8Array; readonly sizeBytes: number },
  ): Promise<void> {
    const { blockSizeBytes, out, transaction } = this.#volume;
    await out.drain(); // the block may hold what was written a moment ago
    const first = Math.floor(at / blockSizeBytes);
    const last = Math.floor((at + bytes.length - 1) / blockSizeBytes);
    const isInPlace = this.#volume.hasJournal && last - first < journalledBlocks;
    const placeOf = (logical: number) => (isInPlace ? map.blockAt(logical) : undefined);
    for (let logical = first; logical <= last;) {
      const old = placeOf(logical);
      if (old !== undefined) {
        const block = await transaction.change(old);
        fillPart(block, bytes, logical * blockSizeBytes - at);
        logical++;
        continue;
      }
      let count = 1;
      while (logical + count <= last && placeOf(logical + count) === undefined) count++;
      logical += await this.#writeNew(map, { logical, count, at, bytes, sizeBytes });
    }
  }

  /** Writes blocks of a file to new places, up to `count` of them; gives how many. */
  async #writeNew(
    map: FileMap,
    part: { logical: number; count: number; at: number; bytes: Uint8Array; sizeBytes: number },
  ): Promise<number> {
    const { blockSizeBytes, out, transaction } = this.#volume;
    const { logical, at, bytes, sizeBytes } = part;
    const run = await this.#volume.takeBlocks(map.goalFor(logical), part.count);
    const whole = new Uint8Array(run.length * blockSizeBytes);
    for (const n of [0, run.length - 1]) {
      const old = map.blockAt(logical + n);
      const keep = Math.min(blockSizeBytes, sizeBytes - (logical + n) * blockSizeBytes);
      if (old === undefined || keep <= 0) continue;
      whole.set((await transaction.block(old)).subarray(0, keep), n * blockSizeBytes);
    }
    fillPart(whole, bytes, logical * blockSizeBytes - at);
    await out.put(run.start * blockSizeBytes, whole);
    map.cut(logical, run.length);
    map.put(logical, run);
    return run.length;
  }
}

/** Puts the part of `bytes` into `block` that belongs there; `blockAt` is where the block starts, as seen from `bytes`. */
function fillPart(block: Uint8Array, bytes: Uint8Array, blockAt: number): void {
  const from = Math.max(0, blockAt);
  const to = Math.min(bytes.length, blockAt + block.length);
  if (to > from) block.set(bytes.subarray(from, to), from - blockAt);
}
