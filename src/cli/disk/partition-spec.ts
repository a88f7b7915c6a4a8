import { Failure } from "../../base/index.ts";
import { parseSize } from "../../bytes/index.ts";
import type { FileSystemRequest, NewPartitionRequest } from "../../disk/index.ts";
import { nearestWord } from "../suggestion.ts";

/** A key of a spec, and what its value is. */
type KeyKind = "size" | "number" | "text" | "list" | "repeatable" | "flag";

interface SpecKey {
  readonly kind: KeyKind;
  readonly help: string;
}

/** All keys, in the order in which help shows them. */
export const specKeys = {
  size: { kind: "size", help: "its size; rest: what the others leave; auto: what its files need" },
  type: { kind: "text", help: "what it is for: linux, efi, swap, …, an MBR code such as 0x83, or a GUID" },
  fs: {
    kind: "text",
    help: "the file system to make in it: ext4, ext3, ext2, fat32, fat16, fat12, fat for the one that fits its size, exfat; none",
  },
  label: { kind: "text", help: "the label of the file system; in GPT also the partition's name unless name is given" },
  from: { kind: "repeatable", help: "a folder or tar to fill it from; may be repeated, later ones win" },
  active: { kind: "flag", help: "MBR: the active flag; GPT: legacy BIOS bootable" },
  uuid: { kind: "text", help: "the UUID of the file system; of FAT and exFAT eight digits such as 1234-ABCD" },
  name: { kind: "text", help: "GPT: the partition's own name" },
  guid: { kind: "text", help: "GPT: the partition's own GUID" },
  block: {
    kind: "size",
    help: "the file system's block size: 1024, 2048 or 4096; of FAT the size of its clusters, 512 to 64 KiB, of exFAT to 32 MiB",
  },
  "inode-ratio": { kind: "size", help: "one inode for this many bytes" },
  inodes: { kind: "number", help: "at least this many inodes, in place of a ratio" },
  "inode-size": { kind: "size", help: "bytes of an inode: 128, 256, 512 or 1024" },
  journal: { kind: "size", help: "size of the journal" },
  reserved: { kind: "number", help: "percent of the blocks that only root may fill" },
  lazy: { kind: "flag", help: "leave unused inode tables for the kernel to clear in the background" },
  features: { kind: "list", help: "file system features to add, or with ^ in front to leave out, joined by +" },
} as const satisfies Readonly<Record<string, SpecKey>>;

type SpecKeyName = keyof typeof specKeys;

/** Words that other tools use for a key. */
const keysByOtherName: Readonly<Record<string, SpecKeyName>> = {
  filesystem: "fs",
  fstype: "fs",
  bootable: "active",
  boot: "active",
  partlabel: "name",
  partuuid: "guid",
};

/** The values of a spec by their keys, each checked for its form only. */
class SpecValues {
  readonly #values = new Map<SpecKeyName, string[]>();

  add(key: SpecKeyName, value: string): void {
    this.#values.set(key, [...this.all(key), value]);
  }

  all(key: SpecKeyName): readonly string[] {
    return this.#values.get(key) ?? [];
  }

  one(key: SpecKeyName): string | undefined {
    return this.all(key)[0];
  }

  has(key: SpecKeyName): boolean {
    return this.#values.has(key);
  }

  keys(): Iterable<SpecKeyName> {
    return this.#values.keys();
  }
}

/**
 * A partition from words such as `size=rest,fs=ext4,label=root,from=./tree,active`. A comma or backslash that
 * belongs to a value is written after a backslash. Throws a `usage` failure that names the spec and the key.
 */
export function parsePartitionSpec(spec: string): NewPartitionRequest {
  const values = readSpec(spec);
  const refusing = <Value>(key: SpecKeyName, read: (text: string) => Value): Value | undefined => {
    const text = values.one(key);
    return text === undefined ? undefined : naming(spec, key, () => read(text));
  };
  const sizeBytes = refusing("size", (text) => (text === "rest" || text === "auto" ? text : parseSize(text)));
  const fileSystem = readFileSystem(spec, values, refusing);
  return {
    from: values.all("from"),
    active: values.has("active"),
    ...defined({
      sizeBytes,
      type: values.one("type"),
      name: values.one("name"),
      guid: values.one("guid"),
      fileSystem,
    }),
  };
}

type Refusing = <Value>(key: SpecKeyName, read: (text: string) => Value) => Value | undefined;

const fileSystemKeys = [
  "label",
  "uuid",
  "block",
  "inode-ratio",
  "inodes",
  "inode-size",
  "journal",
  "reserved",
  "lazy",
  "features",
] as const;

function readFileSystem(spec: string, values: SpecValues, refusing: Refusing): FileSystemRequest | "none" | undefined {
  const kind = values.one("fs");
  const settings = fileSystemKeys.filter((key) => values.has(key));
  if (kind === "none") {
    const [key = "from"] = [...settings, ...(values.has("from") ? (["from"] as const) : [])];
    if (settings.length > 0 || values.has("from"))
      throw badSpec(spec, `${key} needs a file system, and fs=none asks for none`);
    return "none";
  }
  if (kind === undefined && settings.length === 0) return undefined;
  return defined({
    kind,
    label: values.one("label"),
    uuid: values.one("uuid"),
    blockSizeBytes: refusing("block", parseSize),
    inodeRatioBytes: refusing("inode-ratio", parseSize),
    inodeCount: refusing("inodes", (text) => wholeNumber(text, 2 ** 32 - 1)),
    inodeSizeBytes: refusing("inode-size", parseSize),
    journalBytes: refusing("journal", parseSize),
    reservedPercent: refusing("reserved", percentage),
    lazyInodeTables: values.has("lazy") ? true : undefined,
    features: refusing("features", (text) => text.split(/[+ ]/).filter((word) => word !== "")),
  });
}

function readSpec(spec: string): SpecValues {
  const values = new SpecValues();
  for (const field of splitFields(spec)) {
    const equals = field.indexOf("=");
    const key = keyNamed(spec, (equals < 0 ? field : field.slice(0, equals)).trim());
    const value = equals < 0 ? undefined : unescapeValue(field.slice(equals + 1));
    const { kind } = specKeys[key];
    if (kind === "flag" && value !== undefined) throw badSpec(spec, `${key} takes no value`);
    if (kind !== "flag" && (value === undefined || value === "")) throw badSpec(spec, `${key} needs a value`);
    if (kind !== "repeatable" && values.has(key)) throw badSpec(spec, `${key} is there twice`);
    values.add(key, value ?? "");
  }
  return values;
}

/** The pieces between commas that have no backslash before them. */
function splitFields(spec: string): string[] {
  const fields = spec.match(/(?:\\[^]|[^,\\]|\\$)+/g) ?? [];
  if (fields.length === 0) throw badSpec(spec, "it says nothing");
  return fields;
}

/** Only a comma and a backslash are escaped, so that other backslashes may stand as they are. */
function unescapeValue(text: string): string {
  return text.replace(/\\([,\\])/g, "$1");
}

function keyNamed(spec: string, word: string): SpecKeyName {
  if (isSpecKey(word)) return word;
  const other = Object.hasOwn(keysByOtherName, word) ? keysByOtherName[word] : undefined;
  const near = other ?? nearestWord(word, Object.keys(specKeys));
  throw new Failure("usage", `cannot understand the partition "${spec}": there is no key "${word}"`, {
    hint: near === undefined ? `the keys are ${Object.keys(specKeys).join(", ")}` : `did you mean ${near}?`,
  });
}

function isSpecKey(word: string): word is SpecKeyName {
  return Object.hasOwn(specKeys, word);
}

/** Runs a reader of one value; what it refuses is said of the spec and its key. */
function naming<Value>(spec: string, key: SpecKeyName, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure("usage", `cannot understand "${key}" in the partition "${spec}": ${reasonOf(error)}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}

function reasonOf(error: Failure): string {
  return error.message.replace(/^cannot understand the size (".*")$/s, "$1 is no size");
}

function wholeNumber(text: string, maximum: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= maximum) return value;
  throw new Failure("usage", `"${text}" is not a whole number from 1 to ${maximum}`);
}

const largestReserve = 50; // mke2fs accepts no more

function percentage(text: string): number {
  const match = /^(\d+(?:\.\d+)?)%?$/.exec(text);
  const value = Number(match?.[1] ?? Number.NaN);
  if (value >= 0 && value <= largestReserve) return value;
  throw new Failure("usage", `"${text}" is not a percentage from 0 to ${largestReserve}`);
}

function badSpec(spec: string, why: string): Failure {
  return new Failure("usage", `cannot understand the partition "${spec}": ${why}`, {
    hint: 'write it like "size=512MiB,type=linux,fs=ext4,label=root"',
  });
}

type Defined<Values> = { readonly [Key in keyof Values]?: Exclude<Values[Key], undefined> };

/** The same without the keys that are undefined. */
function defined<Values extends object>(values: Values): Defined<Values> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<Values>;
}
