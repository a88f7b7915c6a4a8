import { Failure, type JobOptions } from "../base/index.ts";
import type { Place } from "./place.ts";

/** The bytes of a regular file from its first to its last, holes as zeros. A piece's buffer may be used again. */
// oxlint-disable-next-line require-yield
export async function* readFile(place: Place, _options: JobOptions): AsyncGenerator<Uint8Array> {
  throw new Failure("unsupported", `cannot read "${place.image}": this is not written yet`);
}
