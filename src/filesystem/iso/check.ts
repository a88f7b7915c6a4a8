import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import type { Problem } from "../file-system.ts";
import { disagreeing } from "./both-endian.ts";
import { checkPathTables } from "./check-path-tables.ts";
import { decodeRecord, directoryRecord, isDot, isSelf, type DirectoryRecord } from "./directory-record.ts";
import { directoryRecords } from "./directory-reader.ts";
import { readBootCatalogue } from "./el-torito.ts";
import { partsOf } from "./iso-file.ts";
import { nameOfTree } from "./iso-name.ts";
import type { IsoSource, IsoTree } from "./iso-source.ts";
import { decodeRockRidge } from "./rock-ridge.ts";
import { entryArea, readSystemUse } from "./system-use.ts";
import { firstDescriptorAt, primaryType, volumeDescriptor } from "./volume-descriptor.ts";
import { isJoliet, type VolumeDescriptors } from "./volume-descriptors.ts";

/** With more directories than this a tree is not gone through to its end: it would take too much memory. */
const directoryLimit = 1_000_000;

/**
 * Everything that is wrong with a volume: its descriptors, the records and path tables of each of its trees, Rock
 * Ridge, and the boot catalogue. Files that share their data are in order.
 */
export async function* checkIso(source: IsoSource, descriptors: VolumeDescriptors): AsyncGenerator<Problem> {
  const { sizeBytes } = source.volume;
  if (sizeBytes > source.reader.sizeBytes) {
    yield error(`the volume takes ${sizeBytes} bytes, its device ends at ${source.reader.sizeBytes}`);
  }
  if (descriptors.isOpenEnded) yield error("the volume descriptors have no end");
  for (const bytes of descriptors.withTrees) {
    const what = treeName(bytes);
    for (const field of disagreeing(volumeDescriptor.fields, bytes)) {
      yield error(`the two byte orders of "${field}" of the volume descriptor of ${what} differ`);
    }
    const check = new TreeCheck(source, bytes);
    yield* check.run();
    if (!check.isTorn) yield* checkPathTables(source, bytes, { directories: check.directories, what });
  }
  const { problems } = await readBootCatalogue(source, descriptors.catalogueSector);
  for (const message of problems) yield error(message);
}

function error(message: string): Problem {
  return { severity: "error", message };
}

function treeOf(descriptor: Uint8Array): IsoTree {
  const record = volumeDescriptor.decode(descriptor);
  if (record.type === primaryType) return "plain";
  return isJoliet(record) ? "joliet" : "enhanced";
}

function treeName(descriptor: Uint8Array): string {
  const names: Partial<Record<IsoTree, string>> = { plain: "the primary tree", joliet: "the Joliet tree" };
  return names[treeOf(descriptor)] ?? "the enhanced tree";
}

interface FoundDirectory {
  readonly path: string;
  readonly block: number;
  readonly parentBlock: number;
}

/** Goes through one tree of a volume, as plain ISO 9660 has it. */
class TreeCheck {
  /** The blocks in which the directories begin. */
  readonly directories = new Set<number>();
  /** Whether some directory could not be read to its end. */
  isTorn = false;
  readonly #source: IsoSource;
  readonly #tree: IsoTree;
  readonly #root: number;
  readonly #queue: FoundDirectory[] = [];

  constructor(source: IsoSource, descriptor: Uint8Array) {
    this.#source = source;
    this.#tree = treeOf(descriptor);
    const { dataBlock } = decodeRecord(volumeDescriptor.get(descriptor, "rootRecord"), 0, firstDescriptorAt);
    this.#root = dataBlock;
  }

  async *run(): AsyncGenerator<Problem> {
    this.#enqueue({ path: "", block: this.#root, parentBlock: this.#root });
    for (let directory = this.#queue.pop(); directory !== undefined; directory = this.#queue.pop()) {
      try {
        yield* this.#checkDirectory(directory);
      } catch (failure) {
        if (!(failure instanceof Failure)) throw failure;
        this.isTorn = true;
        yield error(`${failure.message} (${shown(directory.path)})`);
      }
    }
  }

  #enqueue(directory: FoundDirectory): boolean {
    if (this.directories.has(directory.block)) return false;
    this.directories.add(directory.block);
    if (this.directories.size > directoryLimit) this.isTorn = true;
    else this.#queue.push(directory);
    return true;
  }

  async *#checkDirectory(directory: FoundDirectory): AsyncGenerator<Problem> {
    const { block, path, parentBlock } = directory;
    let isRest = false;
    for await (const records of directoryRecords(this.#source, block * this.#source.blockSizeBytes)) {
      for (const record of records) {
        const name = isDot(record) ? "." : nameOfTree[this.#tree](record.name);
        const place = `${path}/${name}`;
        for (const message of await this.#problemsOf(record, isRest)) yield error(`${message} (${shown(place)})`);
        isRest = record.hasMoreExtents;
        if (isSelf(record)) {
          if (record.dataBlock !== block) yield error(`the directory says that it is elsewhere (${shown(path)})`);
        } else if (isDot(record)) {
          // As genisoimage and xorriso leave it for some directories; nobody reads it.
          const message = `".." leads elsewhere than to the directory above (${shown(path)})`;
          if (record.dataBlock !== parentBlock) yield { severity: "warning", message };
        } else if (record.isDirectory) {
          const isNew = this.#enqueue({ path: place, block: record.dataBlock, parentBlock: block });
          if (!isNew) yield error(`the directory is reached a second time (${shown(place)})`);
        }
      }
    }
  }

  /** `isRest` is of a record that goes on with the file of the one before it. */
  async #problemsOf(record: DirectoryRecord, isRest: boolean): Promise<string[]> {
    const { blockSizeBytes, reader, volume } = this.#source;
    const problems = disagreeing(directoryRecord.fields, record.bytes).map(
      (field) => `the two byte orders of "${field}" of its directory record differ`,
    );
    const end = record.dataBlock * blockSizeBytes + record.dataBytes;
    if (record.dataBytes > 0 && end > Math.min(volume.sizeBytes, reader.sizeBytes)) {
      problems.push(`its data ends at byte ${end}, past the end of the volume`);
    }
    if (this.#tree === "plain" && volume.tree === "rock ridge") {
      problems.push(...(await this.#rockRidgeProblems(record, isRest)));
    }
    return problems;
  }

  async #rockRidgeProblems(record: DirectoryRecord, isRest: boolean): Promise<string[]> {
    const what = `the directory record at byte ${record.at}`;
    const area = entryArea(record.systemUse, this.#source.volume.systemUseSkip);
    try {
      const { entries, problem } = await readSystemUse(this.#source, area, what);
      const rockRidge = decodeRockRidge(entries, what);
      if (rockRidge.sparse !== undefined && !record.isDirectory && !isRest) {
        await Array.fromAsync(partsOf(this.#source, { record, rockRidge, kind: "file" }));
      }
      return problem === undefined ? [] : [problem];
    } catch (failure) {
      if (failure instanceof Failure) return [failure.message];
      throw failure;
    }
  }
}

function shown(path: string): string {
  return path === "" ? "/" : printableName(path);
}
