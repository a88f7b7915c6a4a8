/**
 * The house, floor by floor from the roof down: each folder of src/ is a layer, and an import goes down or stays
 * in its own layer. Layers of one floor do not know each other.
 */
const floors: readonly (readonly string[])[] = [
  ["cli"],
  ["console"],
  ["key", "backup", "mail"],
  ["disk"],
  ["boot"],
  ["filesystem"],
  ["partition"],
  ["device", "debian"],
  ["tree", "openpgp"],
  ["bytes"],
  ["base"],
];

/** Layers that reach less far than their floor allows: `mail` is a neighbour of the disk rooms, not a tenant. */
const onlyReaches: ReadonlyMap<string, readonly string[]> = new Map([["mail", ["bytes", "base"]]]);

/**
 * Why a file of src/ may not import another one; undefined where it may. Paths are relative to src/, with `/`.
 * `hasIndex` says whether a folder, relative to src/, speaks through an index.ts.
 */
export function breachOf(from: string, to: string, hasIndex: (folder: string) => boolean): string | undefined {
  const [fromLayer, toLayer] = [layerOf(from), layerOf(to)];
  for (const layer of [fromLayer, toLayer]) {
    if (floorOf(layer) === -1) return `"${layer}" is not in the table of layers`;
  }
  if (fromLayer !== toLayer) {
    const reached = onlyReaches.get(fromLayer);
    if (reached !== undefined && !reached.includes(toLayer)) return `${fromLayer} uses only ${reached.join(", ")}`;
    if (floorOf(toLayer) <= floorOf(fromLayer)) return `${fromLayer} does not stand on ${toLayer}`;
    return isIndex(to) ? undefined : `reaches into ${folderOf(to)}/ past its index.ts`;
  }
  const folder = folderOf(to);
  const isOwnOrAbove = `${folderOf(from)}/`.startsWith(`${folder}/`);
  if (isOwnOrAbove || isIndex(to) || !hasIndex(folder)) return undefined;
  return `reaches into ${folder}/ past its index.ts`;
}

function floorOf(layer: string): number {
  return floors.findIndex((floor) => floor.includes(layer));
}

function layerOf(file: string): string {
  return file.slice(0, Math.max(0, file.indexOf("/")));
}

function folderOf(file: string): string {
  return file.slice(0, Math.max(0, file.lastIndexOf("/")));
}

function isIndex(file: string): boolean {
  return file.endsWith("/index.ts");
}
