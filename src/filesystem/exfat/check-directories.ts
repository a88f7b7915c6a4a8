import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import type { Problem } from "../file-system.ts";
import { allocationOf, chainEnd, clusterCountOf, refuseShort, type DataPlace } from "./chain.ts";
import type { ClusterClaims } from "./cluster-claims.ts";
import { entrySets, hashOfName, isSealed, setBytes, slotsOf, type FileSet } from "./directory-sets.ts";
import { factsIn, isDirectory, type FileFacts } from "./exfat-file.ts";
import { readRuns, type DirectoryBytes, type ExfatSource } from "./exfat-source.ts";
import { whyBadName } from "./file-name.ts";
import { directoryLimitBytes, secondaryEntry, secondaryFlags, slotBytes } from "./records.ts";
import type { UpcaseTable } from "./upcase.ts";

/** With more directories than this a tree is not gone through to its end: it would take too much memory. */
const directoryLimit = 1_000_000;

interface FoundDirectory {
  readonly path: string;
  readonly place: DataPlace;
}

/** Goes through all directories and the clusters of all files. */
export class DirectoryCheck {
  /** Whether some directory could not be read to its end. */
  isTorn = false;
  readonly #source: ExfatSource;
  readonly #upcase: UpcaseTable;
  readonly #claims: ClusterClaims;
  readonly #queue: FoundDirectory[] = [];
  #count = 0;

  constructor(source: ExfatSource, upcase: UpcaseTable, claims: ClusterClaims) {
    this.#source = source;
    this.#upcase = upcase;
    this.#claims = claims;
  }

  async *run(root: DirectoryBytes): AsyncGenerator<Problem> {
    yield* this.#checkDirectory("", root.bytes);
    for (let next = this.#queue.pop(); next !== undefined; next = this.#queue.pop()) {
      try {
        const { runs } = await allocationOf(this.#source.table, next.place, "the directory");
        yield* this.#checkDirectory(next.path, await readRuns(this.#source, runs, next.place.dataBytes));
      } catch (failure) {
        if (!(failure instanceof Failure)) throw failure;
        this.isTorn = true;
        yield error(`${failure.message} (${shown(next.path)})`);
      }
    }
  }

  async *#checkDirectory(path: string, bytes: Uint8Array): AsyncGenerator<Problem> {
    const names = new Set<string>();
    for (const set of entrySets(bytes)) {
      if (set.kind === "other" || (set.kind === "volume" && path === "")) continue;
      if (set.kind === "volume") {
        yield error(`an entry of the volume is not in its root directory (${shown(path)}, entry ${set.slot})`);
      } else if (set.kind === "file") {
        yield* this.#checkSet(setBytes(bytes, set), set, `${path}/${set.name}`);
        const folded = this.#upcase.fold(set.name);
        if (names.has(folded)) yield error(`the name is there twice (${shown(`${path}/${set.name}`)})`);
        names.add(folded);
      } else {
        this.isTorn = true;
        yield error(`a directory entry makes no sense: ${set.why} (${shown(path)}, entry ${set.slot})`);
      }
    }
  }

  async *#checkSet(set: Uint8Array, { name }: FileSet, path: string): AsyncGenerator<Problem> {
    const facts = factsIn(set);
    const { stream } = facts;
    const place = shown(path);
    if (!isSealed(set)) yield error(`the checksum of its directory entries does not match (${place})`);
    const why = whyBadName(name);
    if (why !== undefined) yield error(`${JSON.stringify(name)} cannot be a name: ${why} (${place})`);
    if (stream.nameHash !== hashOfName(name, this.#upcase))
      yield error(`the hash of its name does not match (${place})`);
    if (stream.validBytes > stream.dataBytes) {
      yield error(`${stream.validBytes} bytes of it are said to be valid, it has ${stream.dataBytes} (${place})`);
    }
    if (isDirectory(facts)) yield* checkDirectorySize(facts, this.#source.layout.clusterBytes, place);
    const isSound = yield* this.#claim(stream, place);
    yield* this.#claimVendorData(set, slotsOf(name), place);
    if (!isDirectory(facts)) return;
    if (!isSound || stream.dataBytes > directoryLimitBytes || ++this.#count > directoryLimit) this.isTorn = true;
    else if (stream.dataBytes > 0) this.#queue.push({ path, place: stream });
  }

  /** Claims the clusters of a file; gives whether they are all there and its own. */
  async *#claim(place: DataPlace, what: string): AsyncGenerator<Problem, boolean> {
    if (place.dataBytes === 0) {
      if (place.firstCluster === 0) return true;
      yield error(`it has no data and says that cluster ${place.firstCluster} is its first (${what})`);
      return false;
    }
    try {
      if ((place.flags & secondaryFlags.noFatChain) === 0) return yield* this.#claimChain(place, what);
      const { runs } = await allocationOf(this.#source.table, place, "its data");
      return yield* this.#claims.claim(runs, what);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      yield error(`${failure.message} (${what})`);
      return false;
    }
  }

  /** Claims a chain as far as nothing else has: so chains that lead into each other take no more time than others. */
  async *#claimChain({ firstCluster, dataBytes }: DataPlace, what: string): AsyncGenerator<Problem, boolean> {
    const { layout, table } = this.#source;
    const count = clusterCountOf(layout, dataBytes, "its data");
    let shared: number | undefined;
    const runs = await table.runs(firstCluster, count, "its data", (cluster) => {
      if (this.#claims.take(cluster)) return true;
      shared = cluster;
      return false;
    });
    yield* this.#claims.tell(runs, shared, what);
    if (shared !== undefined) return false;
    refuseShort(layout, runs, dataBytes, "its data");
    if (await this.#goesOn(runs.at(-1))) yield warning(`its chain of clusters is too long (${what})`);
    return true;
  }

  async #goesOn(last: { readonly start: number; readonly count: number } | undefined): Promise<boolean> {
    return last !== undefined && (await this.#source.table.entry(last.start + last.count - 1)) !== chainEnd;
  }

  /** What makers add to a set may have clusters too. */
  async *#claimVendorData(set: Uint8Array, ownSlots: number, what: string): AsyncGenerator<Problem> {
    for (let at = ownSlots * slotBytes; at < set.length; at += slotBytes) {
      const place = secondaryEntry.decode(set, at);
      if ((place.flags & secondaryFlags.allocationPossible) !== 0) yield* this.#claim(place, what);
    }
  }
}

function* checkDirectorySize({ stream }: FileFacts, clusterBytes: number, place: string): Generator<Problem> {
  const { dataBytes, validBytes } = stream;
  if (dataBytes !== validBytes || dataBytes % clusterBytes !== 0 || dataBytes > directoryLimitBytes) {
    yield error(`a directory cannot have ${dataBytes} bytes, of which ${validBytes} are valid (${place})`);
  }
}

function shown(path: string): string {
  return path === "" ? "/" : printableName(path);
}

function error(message: string): Problem {
  return { severity: "error", message };
}

function warning(message: string): Problem {
  return { severity: "warning", message };
}
