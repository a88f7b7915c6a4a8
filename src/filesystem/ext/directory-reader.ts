import type { DirectoryItem } from "../file-system.ts";
import { inlineDataRest } from "./attribute-list.ts";
import { fileRuns } from "./block-runs.ts";
import { damaged } from "../damaged.ts";
import { isDotName, recordsIn, type DirectoryRecord } from "./directory-block.ts";
import { shownName } from "./encrypted-name.ts";
import type { ExtInode } from "./ext-inode.ts";
import { hasFlag } from "./inode-reader.ts";
import type { ExtSource } from "./source.ts";

/** At the start of an inline directory stands only the number of the inode above. */
const inlineParentBytes = 4;
const slash = 0x2f;
const nul = 0;

/** The entries of a directory block by block, `.` and `..` included. Index blocks look empty in this form. */
export async function* directoryRecords(source: ExtSource, directory: ExtInode): AsyncGenerator<DirectoryRecord[]> {
  const what = `directory ${directory.id}`;
  if (hasFlag(directory, "inlineData")) {
    yield* inlineStretches(directory).map(({ bytes, start }) => recordsIn(bytes, start, what));
    return;
  }
  for await (const { block } of directoryBlocks(source, directory)) yield recordsIn(block, 0, what);
}

/** The stretches of entries in a directory that stands in its inode. */
export function inlineStretches(directory: ExtInode): { readonly bytes: Uint8Array; readonly start: number }[] {
  const rest = inlineDataRest(directory);
  const inInode = { bytes: directory.block, start: inlineParentBytes };
  return rest.length === 0 ? [inInode] : [inInode, { bytes: rest, start: 0 }];
}

/** The blocks of a directory in order, up to its size. Blocks that are not there are left out. */
export async function* directoryBlocks(
  source: ExtSource,
  directory: ExtInode,
): AsyncGenerator<{ readonly logical: number; readonly physical: number; readonly block: Uint8Array }> {
  const end = Math.ceil(directory.sizeBytes / source.layout.blockSizeBytes);
  for await (const run of fileRuns(source, directory)) {
    if (!run.isWritten) continue;
    for (let n = 0; n < run.count && run.logical + n < end; n++) {
      const physical = run.physical + n;
      yield { logical: run.logical + n, physical, block: await source.block(physical, `directory ${directory.id}`) };
    }
  }
}

/** The names in a directory as they are shown, without `.` and `..`. */
export async function* listDirectory(source: ExtSource, directory: ExtInode): AsyncGenerator<DirectoryItem[]> {
  const isEncrypted = hasFlag(directory, "encrypted");
  for await (const records of directoryRecords(source, directory)) {
    const items: DirectoryItem[] = [];
    for (const record of records) {
      if (isDotName(record.name)) continue;
      items.push(itemOf(source, directory, record, isEncrypted));
    }
    if (items.length > 0) yield items;
  }
}

function itemOf(source: ExtSource, directory: ExtInode, record: DirectoryRecord, isEncrypted: boolean): DirectoryItem {
  if (record.inode > source.layout.inodeCount) {
    throw damaged(`directory ${directory.id}`, `an entry names inode ${record.inode} of ${source.layout.inodeCount}`);
  }
  if (!isEncrypted && (record.name.includes(slash) || record.name.includes(nul))) {
    throw damaged(`directory ${directory.id}`, "an entry has a name that no file can have");
  }
  return { name: shownName(record.name, isEncrypted), id: record.inode };
}
