import { Failure } from "../base/index.ts";
import type { ExtKind, ExtOptions } from "../filesystem/index.ts";
import { gptTypeGuid, mbrTypeCode } from "../partition/index.ts";
import type { CreateDiskRequest, FileSystemRequest, NewPartitionRequest } from "./request.ts";

/** A partition with every default decided but its place. */
export interface WantedPartition {
  readonly size: number | "rest" | "auto";
  readonly type: string;
  readonly active: boolean;
  readonly name: string | undefined;
  readonly guid: string | undefined;
  /** Undefined: no file system. */
  readonly ext: ExtOptions | undefined;
  readonly from: readonly string[];
}

export interface MakingFacts {
  readonly now: ExtOptions["now"];
  readonly isReproducible: boolean;
  readonly nextUuid: () => string;
}

/** Cylinder partitions are whole KiB but seldom whole larger blocks: these fill them to the end. */
const classicBlockBytes = 1024;
const extKinds: ReadonlySet<string> = new Set(["ext2", "ext3", "ext4"] satisfies ExtKind[]);
const wholeDisk: NewPartitionRequest = { active: false, from: [] };

/** The partitions of a request: the one that it leaves out, its sources, types and file systems decided. */
export function planPartitions(request: CreateDiskRequest, facts: MakingFacts): WantedPartition[] {
  const partitions = request.partitions.length === 0 ? [wholeDisk] : request.partitions;
  const root = rootOf(request, partitions);
  return partitions.map((partition) => {
    const type = partition.type ?? "linux";
    const isRoot = partition === root;
    const from = isRoot ? [...partition.from, ...request.from] : partition.from;
    const ext = extOptionsOf(request, partition, { ...facts, isRoot, type });
    if (ext === undefined && from.length > 0) {
      throw new Failure("usage", "cannot fill a partition that has no file system", { hint: "add fs=ext4 to it" });
    }
    if (request.table === "mbr" && (partition.guid !== undefined || partition.name !== undefined)) {
      throw new Failure("usage", "cannot give a partition a name or a GUID in an MBR", { hint: "use --table gpt" });
    }
    const name = request.table === "gpt" ? (partition.name ?? ext?.label) : undefined;
    return {
      size: partition.sizeBytes ?? "rest",
      type,
      active: partition.active,
      name,
      guid: partition.guid,
      ext,
      from,
    };
  });
}

/** The partition that `--from` fills and `--uuid` names: labelled root, or the only one with a file system. */
function rootOf(
  request: CreateDiskRequest,
  partitions: readonly NewPartitionRequest[],
): NewPartitionRequest | undefined {
  const candidates = partitions.filter((partition) => fileSystemOf(request, partition) !== undefined);
  const named = candidates.filter((partition) => fileSystemOf(request, partition)?.label === "root");
  const [root, ...others] = named.length > 0 ? named : candidates;
  if (root !== undefined && others.length === 0) return root;
  if (request.from.length === 0) return undefined;
  const message =
    root === undefined
      ? "cannot use --from: no partition has a file system"
      : "cannot tell which partition --from is for: several have a file system";
  throw new Failure("usage", message, { hint: "write from=… in the --partition that it is for, or label one root" });
}

function fileSystemOf(
  request: CreateDiskRequest,
  { fileSystem, type }: NewPartitionRequest,
): FileSystemRequest | undefined {
  if (fileSystem === "none") return undefined;
  if (fileSystem !== undefined) return fileSystem;
  return isLinuxType(request, type ?? "linux") ? {} : undefined;
}

function isLinuxType({ table }: CreateDiskRequest, type: string): boolean {
  if (table === "mbr") return mbrTypeCode(type) === mbrTypeCode("linux");
  return gptTypeGuid(type) === gptTypeGuid("linux");
}

function extOptionsOf(
  request: CreateDiskRequest,
  partition: NewPartitionRequest,
  facts: MakingFacts & { readonly isRoot: boolean; readonly type: string },
): ExtOptions | undefined {
  const wanted = fileSystemOf(request, partition);
  if (wanted === undefined) return undefined;
  const { kind = "ext4", uuid, ...rest } = wanted;
  if (!extKinds.has(kind)) {
    throw new Failure("unsupported", `cannot make the file system "${kind}"`, {
      hint: "ext2, ext3 and ext4 can be made; fs=none leaves a partition empty",
    });
  }
  return {
    ...(request.layout === "classic" ? { blockSizeBytes: classicBlockBytes } : {}),
    ...rest,
    kind: kind as ExtKind,
    uuid: uuid ?? (facts.isRoot ? request.uuid : undefined) ?? facts.nextUuid(),
    now: facts.now,
    isReproducible: facts.isReproducible,
  };
}
