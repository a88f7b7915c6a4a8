import { damaged } from "../damaged.ts";
import type { Extent } from "../file-system.ts";
import { ids, itemTypes } from "./key.ts";
import type { NodePlace } from "./node.ts";
import { fileExtent, fileExtentPlace, fileExtentTypes } from "./records.ts";
import type { BtrfsSource } from "./source.ts";
import { treeIn, type Tree } from "./tree.ts";

/** The log holds what was written by fsync since the last commit, which comes twice a minute: no log is so large. */
const nodeLimit = 1_000_000;

/** The tree of log trees, where there is a log. It is of the transaction that was not finished. */
export function logTreeRoot({ superblock }: BtrfsSource): Tree | undefined {
  const { logRoot, logRootLevel, generation } = superblock;
  if (logRoot === 0) return undefined;
  return { id: ids.logTree, root: { logical: logRoot, level: logRootLevel, generation: generation + 1 } };
}

/**
 * What the log takes, in logical addresses: its nodes, and the data that its files were given. Neither is in the tree of
 * extents before the log is replayed. Throws `damaged` where the log is: it could not be replayed.
 */
export async function logExtents(source: BtrfsSource): Promise<Extent[]> {
  const log = logTreeRoot(source);
  if (log === undefined) return [];
  const found: Extent[] = [];
  const places: NodePlace[] = [log.root];
  const seen = new Set<number>();
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    if (seen.has(place.logical)) continue;
    seen.add(place.logical);
    if (seen.size > nodeLimit) throw damaged("the log of btrfs", `it has more than ${nodeLimit} nodes`);
    const node = await source.node(place);
    found.push({ startBytes: node.logical, lengthBytes: source.nodeBytes });
    for (let n = 0; n < node.count; n++) {
      if (node.level > 0) {
        places.push(node.child(n));
        continue;
      }
      const type = node.type(n);
      if (type === itemTypes.rootItem && node.id(n) === ids.logTree) places.push(treeIn(node, n).root);
      if (type === itemTypes.extentData) found.push(...dataOf(node.data(n)));
    }
  }
  return found;
}

function* dataOf(item: Uint8Array): Generator<Extent> {
  if (item.length < fileExtentPlace.sizeBytes || fileExtent.get(item, "type") === fileExtentTypes.inline) return;
  const { logical, storedBytes } = fileExtentPlace.decode(item);
  if (logical !== 0) yield { startBytes: logical, lengthBytes: storedBytes };
}
