import { Failure, stopIfAborted, type JobOptions } from "../base/index.ts";
import { resolvePath } from "../filesystem/index.ts";
import { openPlace, type PlaceOptions } from "./open-disk.ts";
import type { Place } from "./place.ts";

const zeros = new Uint8Array(1024 * 1024);

/** The bytes of a regular file from its first to its last, holes as zeros. A piece's buffer may be used again. */
export async function* readFile(place: Place, job: JobOptions & PlaceOptions = {}): AsyncGenerator<Uint8Array> {
  await using open = await openPlace(place, job);
  const { fileSystem } = open;
  const id = await resolvePath(fileSystem, open.path);
  const { kind, sizeBytes } = await fileSystem.stat(id);
  if (kind !== "file") {
    throw new Failure("failed", `cannot read "${open.path}" in "${place.image}": it is a ${kind}, not a file`, {
      hint: kind === "directory" ? "disk ls lists it, disk get takes it out" : "disk ls -l tells what it is",
    });
  }
  let position = 0;
  for await (const { at, bytes } of fileSystem.content(id)) {
    stopIfAborted(job.signal);
    yield* zerosFor(at - position);
    yield bytes;
    position = at + bytes.length;
    job.onProgress?.({ phase: "reading", doneBytes: position, totalBytes: sizeBytes });
  }
  yield* zerosFor(sizeBytes - position);
}

function* zerosFor(lengthBytes: number): Generator<Uint8Array> {
  for (let rest = lengthBytes; rest > 0; rest -= zeros.length) yield zeros.subarray(0, Math.min(rest, zeros.length));
}
