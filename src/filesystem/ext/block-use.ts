import { Bitmap } from "../../bytes/index.ts";
import type { ExtLayout } from "./layout.ts";

/** Clusters looked at in one pass: 32 MiB of bits, 1 TiB of a file system with blocks of 4 KiB. */
const windowClusters = 2 ** 28;
const pageClusters = 2 ** 19;

/**
 * Which clusters of one window of the file system something has laid claim to. Larger file systems are checked
 * window by window, so that memory stays bounded. Pages without claims take none.
 */
export class BlockUse {
  readonly firstGroup: number;
  readonly endGroup: number;
  readonly #layout: ExtLayout;
  readonly #firstCluster: number;
  readonly #endCluster: number;
  readonly #pages = new Map<number, Bitmap>();

  constructor(layout: ExtLayout, firstGroup: number) {
    const clustersPerGroup = layout.blocksPerGroup / layout.clusterBlocks;
    const groups = Math.max(1, Math.floor(windowClusters / clustersPerGroup));
    this.#layout = layout;
    this.firstGroup = firstGroup;
    this.endGroup = Math.min(layout.groupCount, firstGroup + groups);
    this.#firstCluster = firstGroup * clustersPerGroup;
    this.#endCluster = this.endGroup * clustersPerGroup;
  }

  /** The number of a block's cluster, counted from the first block of the file system. */
  clusterOf(block: number): number {
    return Math.floor((block - this.#layout.firstDataBlock) / this.#layout.clusterBlocks);
  }

  /** Claims clusters, as far as they are in the window, and gives the first that was claimed before. */
  claim(firstCluster: number, count: number): number | undefined {
    const end = Math.min(firstCluster + count, this.#endCluster);
    let taken: number | undefined;
    for (let cluster = Math.max(firstCluster, this.#firstCluster); cluster < end;) {
      const number = Math.floor(cluster / pageClusters);
      const page = this.#page(number);
      const inPage = cluster - number * pageClusters;
      const length = Math.min(end - cluster, pageClusters - inPage);
      const before = page.nextSet(inPage, inPage + length);
      if (before >= 0) taken ??= number * pageClusters + before;
      page.setRange(inPage, length);
      cluster += length;
    }
    return taken;
  }

  isClaimed(cluster: number): boolean {
    const number = Math.floor(cluster / pageClusters);
    return this.#pages.get(number)?.has(cluster - number * pageClusters) ?? false;
  }

  /** How many clusters from this one on agree with a bitmap for certain: whole bytes are compared, not bits. */
  agreeingClusters(firstCluster: number, bitmap: Bitmap): number {
    const number = Math.floor(firstCluster / pageClusters);
    const inPage = firstCluster - number * pageClusters;
    if (inPage % 8 !== 0 || inPage + bitmap.length > pageClusters) return 0; // across pages: bit by bit
    const whole = bitmap.length >>> 3;
    const page = this.#pages.get(number);
    if (page === undefined) return bitmap.nextSet(0) < 0 ? bitmap.length : 0;
    const claimed = page.bytes.subarray(inPage >>> 3, (inPage >>> 3) + whole);
    return Buffer.compare(claimed, bitmap.bytes.subarray(0, whole)) === 0 ? whole * 8 : 0;
  }

  #page(number: number): Bitmap {
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = new Bitmap(pageClusters);
      this.#pages.set(number, page);
    }
    return page;
  }
}
