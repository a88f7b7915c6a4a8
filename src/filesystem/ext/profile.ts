import { createHash, randomUUID } from "node:crypto";
import { Failure } from "../../base/index.ts";
import { encodeName } from "../../bytes/index.ts";
import type { Timestamp } from "../../tree/index.ts";
import { featureWords, isFeature, type Feature, type FeatureWords } from "./features.ts";

export type ExtKind = "ext2" | "ext3" | "ext4";

/** What a user may ask of a new file system. Everything has a default. */
export interface ExtOptions {
  readonly kind: ExtKind;
  /** 1024, 2048 or 4096. Default 4096, below 16 MiB 1024. */
  readonly blockSizeBytes?: number;
  readonly label?: string;
  /** Default: random. It also decides the seed of directory hashes. */
  readonly uuid?: string;
  /** One inode for this many bytes. Default 16384, below 512 MiB 4096, from 4 TiB on 32768, from 16 TiB on 65536. */
  readonly inodeRatioBytes?: number;
  /** In place of a ratio: at least this many inodes. */
  readonly inodeCount?: number;
  /** 128, 256, 512 or 1024. Default 256. */
  readonly inodeSizeBytes?: number;
  /** Part of the blocks that only root may fill. Default 5. */
  readonly reservedPercent?: number;
  /** Features to add, or with `^` in front to leave out, in the words of mke2fs. */
  readonly features?: readonly string[];
  /** Default by the size of the file system, as mke2fs does it. */
  readonly journalBytes?: number;
  /** Leave unused inode tables as they are on the device, for the kernel to clear in the background. */
  readonly lazyInodeTables?: boolean;
  /** The time of making. With `isReproducible` also the latest time that any file is given. */
  readonly now: Timestamp;
  /** Times of files other than the last change are not taken over, for they change by being looked at. */
  readonly isReproducible?: boolean;
}

/** The options with every default decided: what the rest of the maker works from. */
export interface ExtProfile {
  readonly kind: ExtKind;
  readonly blockSizeBytes: number;
  readonly label: Uint8Array;
  readonly uuid: string;
  readonly uuidBytes: Uint8Array;
  readonly hashSeed: readonly number[];
  readonly inodeRatioBytes: number;
  readonly inodeCount: number | undefined;
  readonly inodeSizeBytes: number;
  readonly reservedPercent: number;
  readonly features: ReadonlySet<Feature>;
  readonly featureWords: FeatureWords;
  readonly journalBytes: number | undefined;
  readonly lazyInodeTables: boolean;
  readonly now: Timestamp;
  readonly isReproducible: boolean;
}

const baseFeatures: readonly Feature[] = [
  "sparse_super",
  "large_file",
  "filetype",
  "resize_inode",
  "dir_index",
  "ext_attr",
];

const featuresOfKind: Readonly<Record<ExtKind, readonly Feature[]>> = {
  ext2: baseFeatures,
  ext3: [...baseFeatures, "has_journal"],
  ext4: [
    ...baseFeatures,
    "has_journal",
    "extent",
    "huge_file",
    "flex_bg",
    "metadata_csum",
    "64bit",
    "dir_nlink",
    "extra_isize",
  ],
};

/** What this maker can write. */
const supportedFeatures: ReadonlySet<Feature> = new Set([...featuresOfKind.ext4, "uninit_bg", "large_dir"]);
/** What every file system by this maker has. */
const requiredFeatures: readonly Feature[] = ["filetype"];

const labelLimitBytes = 16;
const largestInodeRatioBytes = 65536;
/** As mke2fs has them: `[below bytes, bytes for each inode]`. */
const inodeRatioSteps: readonly (readonly [number, number])[] = [
  [512 * 2 ** 20, 4096],
  [4 * 2 ** 40, 16384],
  [16 * 2 ** 40, 32768],
];
const tinyBytes = 16 * 1024 * 1024;

/** Decides every default for a file system of about `sizeBytes`. Throws a `usage` failure on what cannot be. */
export function decideProfile(options: ExtOptions, sizeBytes: number): ExtProfile {
  const blockSizeBytes = options.blockSizeBytes ?? (sizeBytes < tinyBytes ? 1024 : 4096);
  const inodeSizeBytes = options.inodeSizeBytes ?? 256;
  refuseOther("block size", blockSizeBytes, [1024, 2048, 4096]);
  refuseOther("inode size", inodeSizeBytes, [128, 256, 512, 1024]);
  const reservedPercent = options.reservedPercent ?? 5;
  if (!(reservedPercent >= 0 && reservedPercent <= 50)) {
    throw usage(`cannot reserve ${reservedPercent} percent of the blocks: 0 to 50 can be reserved`);
  }
  const inodeRatioBytes = options.inodeRatioBytes ?? defaultInodeRatio(sizeBytes);
  if (!(inodeRatioBytes >= 1024 && inodeRatioBytes <= 64 * 1024 * 1024)) {
    throw usage(`cannot make one inode for ${inodeRatioBytes} bytes: 1 KiB to 64 MiB are possible`);
  }
  const label = encodeName(options.label ?? "");
  if (label.length > labelLimitBytes) {
    throw usage(`cannot use the label "${options.label}": it has ${label.length} bytes, ext holds ${labelLimitBytes}`);
  }
  const features = decideFeatures(options, inodeSizeBytes);
  const uuid = (options.uuid ?? randomUUID()).toLowerCase();
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid)) throw usage(`cannot use "${uuid}": it is not a UUID`);
  const uuidBytes = Buffer.from(uuid.replaceAll("-", ""), "hex");
  return {
    kind: options.kind,
    blockSizeBytes,
    label: Buffer.concat([label, Buffer.alloc(labelLimitBytes - label.length)]),
    uuid,
    uuidBytes,
    hashSeed: hashSeedOf(uuidBytes),
    inodeRatioBytes,
    inodeCount: options.inodeCount,
    inodeSizeBytes,
    reservedPercent,
    features,
    featureWords: featureWords(features),
    journalBytes: options.journalBytes,
    lazyInodeTables: options.lazyInodeTables ?? false,
    now: options.now,
    isReproducible: options.isReproducible ?? false,
  };
}

function defaultInodeRatio(sizeBytes: number): number {
  return inodeRatioSteps.find(([below]) => sizeBytes < below)?.[1] ?? largestInodeRatioBytes;
}

function decideFeatures(options: ExtOptions, inodeSizeBytes: number): Set<Feature> {
  const features = new Set(featuresOfKind[options.kind]);
  if (inodeSizeBytes === 128) features.delete("extra_isize");
  for (const word of options.features ?? []) {
    const name = word.replace(/^\^/, "");
    if (!isFeature(name) || !supportedFeatures.has(name)) {
      throw new Failure("unsupported", `cannot make ${options.kind} with the feature "${name}"`, {
        hint: `features that can be chosen: ${[...supportedFeatures].join(" ")}`,
      });
    }
    if (word.startsWith("^")) features.delete(name);
    else features.add(name);
  }
  for (const name of requiredFeatures) features.add(name);
  if (features.has("metadata_csum")) features.delete("uninit_bg"); // the one includes the other
  if (features.has("64bit") && !features.has("extent")) {
    if (options.features?.includes("64bit") === true) throw usage("cannot use 64bit without extent");
    features.delete("64bit");
  }
  if (inodeSizeBytes === 128 && features.has("extra_isize")) {
    throw usage("cannot make inodes of 128 bytes with extra_isize: they have no extra part");
  }
  return features;
}

function hashSeedOf(uuidBytes: Uint8Array): number[] {
  const digest = createHash("sha256").update("holdfast directory hash").update(uuidBytes).digest();
  return [0, 4, 8, 12].map((at) => digest.readUInt32LE(at));
}

function refuseOther(what: string, value: number, allowed: readonly number[]): void {
  if (!allowed.includes(value)) throw usage(`cannot use a ${what} of ${value}: it is one of ${allowed.join(", ")}`);
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
