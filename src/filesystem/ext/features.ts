/** Optional features by the names of mke2fs(8) and ext4(5), each with its word in the superblock and its bit. */

export type FeatureSet = "compatible" | "incompatible" | "readOnlyCompatible";

const table = {
  dir_prealloc: ["compatible", 0x1],
  imagic_inodes: ["compatible", 0x2],
  has_journal: ["compatible", 0x4],
  ext_attr: ["compatible", 0x8],
  resize_inode: ["compatible", 0x10],
  dir_index: ["compatible", 0x20],
  lazy_bg: ["compatible", 0x40],
  sparse_super2: ["compatible", 0x200],
  fast_commit: ["compatible", 0x400],
  stable_inodes: ["compatible", 0x800],
  orphan_file: ["compatible", 0x1000],
  compression: ["incompatible", 0x1],
  filetype: ["incompatible", 0x2],
  needs_recovery: ["incompatible", 0x4],
  journal_dev: ["incompatible", 0x8],
  meta_bg: ["incompatible", 0x10],
  extent: ["incompatible", 0x40],
  "64bit": ["incompatible", 0x80],
  mmp: ["incompatible", 0x100],
  flex_bg: ["incompatible", 0x200],
  ea_inode: ["incompatible", 0x400],
  dirdata: ["incompatible", 0x1000],
  metadata_csum_seed: ["incompatible", 0x2000],
  large_dir: ["incompatible", 0x4000],
  inline_data: ["incompatible", 0x8000],
  encrypt: ["incompatible", 0x10000],
  casefold: ["incompatible", 0x20000],
  sparse_super: ["readOnlyCompatible", 0x1],
  large_file: ["readOnlyCompatible", 0x2],
  huge_file: ["readOnlyCompatible", 0x8],
  uninit_bg: ["readOnlyCompatible", 0x10],
  dir_nlink: ["readOnlyCompatible", 0x20],
  extra_isize: ["readOnlyCompatible", 0x40],
  quota: ["readOnlyCompatible", 0x100],
  bigalloc: ["readOnlyCompatible", 0x200],
  metadata_csum: ["readOnlyCompatible", 0x400],
  read_only: ["readOnlyCompatible", 0x1000],
  project: ["readOnlyCompatible", 0x2000],
  shared_blocks: ["readOnlyCompatible", 0x4000],
  verity: ["readOnlyCompatible", 0x8000],
  orphan_present: ["readOnlyCompatible", 0x10000],
} as const satisfies Record<string, readonly [FeatureSet, number]>;

export type Feature = keyof typeof table;

export interface FeatureWords {
  readonly compatible: number;
  readonly incompatible: number;
  readonly readOnlyCompatible: number;
}

export function isFeature(name: string): name is Feature {
  return Object.hasOwn(table, name);
}

/** Whether a superblock, or anything with its three feature words, has this feature. */
export function hasFeature(words: FeatureWords, feature: Feature): boolean {
  const [set, bit] = table[feature];
  return (words[set] & bit) !== 0;
}

/** The three feature words of a superblock with exactly these features. */
export function featureWords(features: Iterable<Feature>): FeatureWords {
  const words = { compatible: 0, incompatible: 0, readOnlyCompatible: 0 };
  for (const feature of features) {
    const [set, bit] = table[feature];
    words[set] |= bit;
  }
  return words;
}

/** The names of all features set; bits without a name are shown as `incompatible:0x80000`. */
export function featureNames(words: FeatureWords): string[] {
  const names: string[] = [];
  const rest: Record<FeatureSet, number> = {
    compatible: words.compatible,
    incompatible: words.incompatible,
    readOnlyCompatible: words.readOnlyCompatible,
  };
  for (const [name, [set, bit]] of Object.entries(table)) {
    if ((words[set] & bit) === 0) continue;
    names.push(name);
    rest[set] &= ~bit;
  }
  for (const [set, bits] of Object.entries(rest)) if (bits !== 0) names.push(`${set}:0x${(bits >>> 0).toString(16)}`);
  return names;
}
