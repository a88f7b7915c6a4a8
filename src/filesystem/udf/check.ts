import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import type { Problem } from "../file-system.ts";
import { anchorAt, anchorBlocks, type Anchor } from "./anchor.ts";
import { directoryNames } from "./directory-reader.ts";
import { fileParts, isInEntry } from "./extents.ts";
import { kindOf, readEntry, type UdfFile } from "./file-entry.ts";
import { readTarget } from "./symlink.ts";
import type { BlockAddress, UdfSource } from "./udf-source.ts";
import { readSequence } from "./volume-descriptors.ts";

/** With more files than this, names are not counted: they would take too much memory. */
const countedFileLimit = 4_000_000;

/**
 * Everything that is wrong with a volume: its anchors, both sequences of descriptors, every directory, and the entry of
 * every file with the places of its data and the number of its names. Notes of the reader come first, as warnings.
 */
export async function* checkUdf(source: UdfSource, anchor: Anchor, root: BlockAddress): AsyncGenerator<Problem> {
  for (const message of source.notes) yield { severity: "warning", message };
  yield* checkDescriptors(source, anchor);
  yield* new TreeCheck(source).run(root);
}

async function* checkDescriptors(source: UdfSource, anchor: Anchor): AsyncGenerator<Problem> {
  const { reader, blockSizeBytes } = source;
  let anchors = 0;
  for (const block of new Set(anchorBlocks(reader, blockSizeBytes))) {
    if ((await anchorAt(reader, block, blockSizeBytes)) !== undefined) anchors++;
  }
  const isWrittenOnce = source.partitionKinds.has("virtual");
  if (anchors < 2 && !isWrittenOnce) yield { severity: "warning", message: "there is only one anchor, two are needed" };
  for (const [name, sequence] of [
    ["main", anchor.main],
    ["reserve", anchor.reserve],
  ] as const) {
    try {
      await readSequence(reader, sequence, blockSizeBytes);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      yield error(`the ${name} volume descriptors: ${failure.message}`);
    }
  }
}

function error(message: string): Problem {
  return { severity: "error", message };
}

interface FoundDirectory {
  readonly path: string;
  readonly file: UdfFile;
}

interface CountedFile {
  readonly path: string;
  readonly links: number;
  names: number;
}

/** Goes through the tree of a volume. */
class TreeCheck {
  readonly #source: UdfSource;
  readonly #files = new Map<string, CountedFile>();
  readonly #queue: FoundDirectory[] = [];
  /** Whether some names could not be seen, so that they cannot be counted. */
  #isTorn = false;

  constructor(source: UdfSource) {
    this.#source = source;
  }

  async *run(root: BlockAddress): AsyncGenerator<Problem> {
    yield* this.#checkFile(root, "/");
    for (let directory = this.#queue.pop(); directory !== undefined; directory = this.#queue.pop()) {
      const prefix = directory.path === "/" ? "/" : `${directory.path}/`;
      try {
        for await (const names of directoryNames(this.#source, directory.file)) {
          for (const { name, address } of names) yield* this.#checkFile(address, prefix + name);
        }
      } catch (failure) {
        yield this.#problemOf(failure, directory.path);
      }
    }
    if (!this.#isTorn) yield* this.#checkLinks();
  }

  #problemOf(failure: unknown, path: string): Problem {
    if (!(failure instanceof Failure)) throw failure;
    this.#isTorn = true;
    return error(`${failure.message} (${printableName(path)})`);
  }

  async *#checkFile(address: BlockAddress, path: string): AsyncGenerator<Problem> {
    const key = `${address.partition}:${address.block}`;
    const known = this.#files.get(key);
    try {
      const file = await readEntry(this.#source, address);
      const isDirectory = kindOf(file) === "directory";
      if (known !== undefined) {
        known.names++;
        if (isDirectory) yield error(`the directory is reached a second time (${printableName(path)})`);
        return;
      }
      if (this.#files.size < countedFileLimit)
        this.#files.set(key, { path, links: isDirectory ? 0 : file.links, names: 1 });
      else this.#isTorn = true;
      if (isDirectory) this.#queue.push({ path, file });
      const problem = await this.#placesProblem(file, path);
      if (problem !== undefined) yield problem;
    } catch (failure) {
      yield this.#problemOf(failure, path);
    }
  }

  /** What is wrong with where a file's data is. */
  async #placesProblem(file: UdfFile, path: string): Promise<Problem | undefined> {
    const what = "the places of its data";
    if (kindOf(file) === "symlink") await readTarget(this.#source, file, "the link");
    if (isInEntry(file)) {
      if (file.sizeBytes === file.descriptors.length) return undefined;
      const message = `its entry holds ${file.descriptors.length} of its ${file.sizeBytes} bytes`;
      return error(`${message} (${printableName(path)})`);
    }
    for await (const { deviceAt, lengthBytes } of fileParts(this.#source, file, what)) {
      const end = deviceAt + lengthBytes;
      if (end <= this.#source.reader.sizeBytes) continue;
      return error(`its data ends at byte ${end}, past the end of the device (${printableName(path)})`);
    }
    return undefined;
  }

  *#checkLinks(): Generator<Problem> {
    for (const { path, links, names } of this.#files.values()) {
      if (links === 0 || links === names) continue;
      yield error(`it has ${names} names, its entry says ${links} (${printableName(path)})`);
    }
  }
}
