/** A value under a key; where several are found the lowest rank is the first. */
export interface IndexValue {
  readonly rank: number;
  readonly text: string;
}

interface TrieNode {
  readonly children: Map<number, TrieNode>;
  readonly values: IndexValue[];
}

const magic = 0xb007f457;
const version = 0x00020001;
const hasPrefix = 0x80000000;
const hasValues = 0x40000000;
const hasChildren = 0x20000000;

/**
 * The form in which kmod finds modules by name, alias and symbol: a trie whose nodes come after those below them.
 * A number that leads to a node carries in its highest bits what the node has: characters that all keys below it
 * share, a table of children from the first character to the last, values.
 */
export function writeModuleIndex(entries: Iterable<readonly [key: string, value: IndexValue]>): Buffer {
  const root: TrieNode = newNode();
  for (const [key, value] of entries) {
    let node = root;
    for (const character of Buffer.from(key, "latin1")) {
      let child = node.children.get(character);
      if (child === undefined) node.children.set(character, (child = newNode()));
      node = child;
    }
    node.values.push(value);
  }
  const parts: Buffer[] = [];
  let at = 12;
  const add = (bytes: Buffer): void => {
    parts.push(bytes);
    at += bytes.length;
  };
  const write = (start: TrieNode): number => {
    const shared: number[] = [];
    let node = start;
    while (node.values.length === 0 && node.children.size === 1) {
      const [[character, only]] = [...node.children] as [[number, TrieNode]];
      shared.push(character);
      node = only;
    }
    const places = new Map<number, number>();
    for (const character of [...node.children.keys()].sort((a, b) => a - b)) {
      const child = node.children.get(character);
      if (child !== undefined) places.set(character, write(child));
    }
    const flags =
      (shared.length > 0 ? hasPrefix : 0) +
      (places.size > 0 ? hasChildren : 0) +
      (node.values.length > 0 ? hasValues : 0);
    const place = at + flags;
    if (shared.length > 0) add(Buffer.from([...shared, 0]));
    if (places.size > 0) add(childTable(places));
    if (node.values.length > 0) add(valueList(node.values));
    return place;
  };
  const rootPlace = write(root);
  return Buffer.concat([numbers(magic, version, rootPlace), ...parts]);
}

function childTable(places: ReadonlyMap<number, number>): Buffer {
  const characters = [...places.keys()];
  const first = Math.min(...characters);
  const last = Math.max(...characters);
  const table = Array.from({ length: last - first + 1 }, (_, n) => places.get(first + n) ?? 0);
  return Buffer.concat([Buffer.from([first, last]), numbers(...table)]);
}

function valueList(values: readonly IndexValue[]): Buffer {
  const sorted = values.toSorted((a, b) => a.rank - b.rank);
  const parts = sorted.flatMap(({ rank, text }) => [numbers(rank), Buffer.from(`${text}\0`, "latin1")]);
  return Buffer.concat([numbers(sorted.length), ...parts]);
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [n, value] of values.entries()) bytes.writeUInt32BE(value, n * 4);
  return bytes;
}

function newNode(): TrieNode {
  return { children: new Map(), values: [] };
}
