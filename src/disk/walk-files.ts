import { Failure, stopIfAborted } from "../base/index.ts";
import { printableName } from "../bytes/index.ts";
import type { FileStat, NamePlace } from "../filesystem/index.ts";
import type { EditContext } from "./edit-places.ts";

/** A file, and where its name stands: nowhere for the root. */
export interface WalkedFile {
  readonly id: number;
  readonly place: NamePlace | undefined;
  readonly stat: FileStat;
}

/**
 * A file and all that is below it, each directory before what it holds. What has come may be removed, but for
 * directories, before the next one is asked for. Throws `damaged` where a directory is met twice.
 */
export async function* walkFiles(
  { fileSystem, job }: EditContext,
  first: { readonly id: number; readonly place: NamePlace | undefined; readonly path: string },
): AsyncGenerator<WalkedFile> {
  const waiting = [first];
  const seen = new Set<number>();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    stopIfAborted(job.signal);
    const { id, place, path } = next;
    const stat = await fileSystem.stat(id);
    yield { id, place, stat };
    if (stat.kind !== "directory") continue;
    if (seen.has(id)) {
      throw new Failure("damaged", `cannot go through "${printableName(path)}": a directory in it is reached twice`, {
        hint: "disk check says more",
      });
    }
    seen.add(id);
    const below: (typeof first)[] = [];
    for await (const items of fileSystem.list(id)) {
      for (const item of items) below.push({ id: item.id, place: { directory: id, name: item.name }, path });
    }
    for (const item of below.toReversed()) waiting.push(item);
  }
}
