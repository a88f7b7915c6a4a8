import { Failure } from "../base/index.ts";

const grainBytes = 2 ** 20;
const largestBytes = 2 ** 50;

/** The smallest whole number of MiB in which a file system holds what it is to; `kind` is for the message. */
export function smallestSize(kind: string, holds: (sizeBytes: number) => boolean): number {
  let tooSmall = 0;
  let enough = grainBytes;
  while (!holds(enough)) {
    tooSmall = enough;
    enough *= 2;
    if (enough > largestBytes) throw new Failure("unsupported", `cannot fill ${kind}: no size would hold it`);
  }
  while (enough - tooSmall > grainBytes) {
    const middle = tooSmall + Math.ceil((enough - tooSmall) / 2 / grainBytes) * grainBytes;
    if (middle === enough) break;
    if (holds(middle)) enough = middle;
    else tooSmall = middle;
  }
  return enough;
}
