import { Failure } from "../base/index.ts";
import type { Timestamp, TreeEntry, TreeSource } from "../tree/index.ts";

/** The same tree, in which nothing is newer than a time. */
export function notLaterThan(time: Timestamp, source: TreeSource): TreeSource {
  const limited = (entry: TreeEntry): TreeEntry => {
    if (entry.kind === "hardlink" || entry.modified.seconds < time.seconds) return entry;
    return { ...entry, modified: time };
  };
  return {
    name: source.name,
    async *entries() {
      for await (const batch of source.entries()) yield batch.map(limited);
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Runs what fills a new file system; where there is no space, that is told of the whole. */
export async function filling(what: string, fill: () => Promise<void>): Promise<void> {
  try {
    await fill();
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "no-space") throw error;
    throw new Failure("no-space", `cannot fill ${what}: the files need more`, {
      hint: "give it more, or let --size auto find what they need",
      cause: error,
    });
  }
}
