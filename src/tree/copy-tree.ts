import { stopIfAborted, type JobOptions } from "../base/index.ts";
import type { DataPiece, FileEntry, TreeEntry, TreeSource, TreeTarget } from "./entry.ts";

/** Puts all of a tree into a target and completes it; gives the number of entries. `phase` is what progress calls it. */
export async function copyTree(
  source: TreeSource,
  target: TreeTarget,
  job: JobOptions & { readonly phase?: string } = {},
): Promise<number> {
  const { phase = "copying" } = job;
  let count = 0;
  let doneBytes = 0;
  const report = (): void => {
    const total = source.totalBytes === undefined ? {} : { totalBytes: source.totalBytes };
    job.onProgress?.({ phase, doneBytes, ...total });
  };
  const counted = (entry: TreeEntry): TreeEntry => {
    if (entry.kind === "hardlink" || entry.content === undefined) return entry;
    return { ...entry, content: countContent(entry.content) };
  };
  function countContent(content: NonNullable<FileEntry["content"]>): NonNullable<FileEntry["content"]> {
    if (!Array.isArray(content)) return countStream(content as AsyncIterable<DataPiece>);
    for (const { bytes } of content as readonly DataPiece[]) doneBytes += bytes.length;
    return content;
  }
  async function* countStream(pieces: AsyncIterable<DataPiece>): AsyncGenerator<DataPiece> {
    for await (const piece of pieces) {
      stopIfAborted(job.signal);
      doneBytes += piece.bytes.length;
      report();
      yield piece;
    }
  }
  for await (const batch of source.entries()) {
    stopIfAborted(job.signal);
    for (const entry of batch) {
      await target.add(counted(entry));
      count++;
    }
    report();
  }
  await target.finish();
  return count;
}
