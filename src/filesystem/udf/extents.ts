import type { DataPiece, FileStretch } from "../../tree/index.ts";
import { readParts, stretchesOf, type FilePart } from "../part-reader.ts";
import { damaged } from "../damaged.ts";
import type { UdfFile } from "./file-entry.ts";
import { allocationExtent, extendedExtent, longExtent, shortExtent, tagIds } from "./records.ts";
import { verifyTag } from "./tag.ts";
import type { BlockAddress, UdfSource } from "./udf-source.ts";

/** Bits of an entry's flags (ECMA-167 4/14.6.8): how its allocation descriptors are. */
const formMask = 0x7;
const formInEntry = 3;
const forms = [shortExtent, longExtent, extendedExtent] as const;

/** The two highest bits of a length (ECMA-167 4/14.14.1.1). */
const lengthMask = 0x3fffffff;
const recorded = 0;
const nextDescriptors = 3;

/** A file in more pieces than this is damaged. */
const extentLimit = 1_000_000;

/** A part of a file, in whole blocks but for the last. */
interface FileExtent extends BlockAddress {
  readonly lengthBytes: number;
  /** False for blocks that are reserved, or not there, and read as zeros. */
  readonly isRecorded: boolean;
}

/** Whether a file's content stands in its entry. */
export function isInEntry({ flags }: UdfFile): boolean {
  return (flags & formMask) === formInEntry;
}

/** What a file's allocation descriptors say, wherever they go on. */
async function* fileExtents(source: UdfSource, file: UdfFile, what: string): AsyncGenerator<FileExtent> {
  const form = forms[file.flags & formMask];
  if (form === undefined) throw damaged(what, `its allocation descriptors are of form ${file.flags & formMask}`);
  let bytes = file.descriptors;
  let count = 0;
  const seen = new Set<string>();
  for (;;) {
    let next: BlockAddress | undefined;
    for (let at = 0; at + form.sizeBytes <= bytes.length; at += form.sizeBytes) {
      if (++count > extentLimit) throw damaged(what, `it is in more than ${extentLimit} pieces`);
      const descriptor: { length: number; block: number; partition?: number } = form.decode(bytes, at);
      const { length, block, partition = file.address.partition } = descriptor;
      const kind = length >>> 30;
      const lengthBytes = length & lengthMask;
      if (lengthBytes === 0) break;
      if (kind === nextDescriptors) {
        next = { partition, block };
        break;
      }
      yield { partition, block, lengthBytes, isRecorded: kind === recorded };
    }
    if (next === undefined) return;
    const key = `${next.partition}:${next.block}`;
    if (seen.has(key)) throw damaged(what, "its allocation descriptors lead back to themselves");
    seen.add(key);
    bytes = await continuedDescriptors(source, next, what);
  }
}

async function continuedDescriptors(source: UdfSource, address: BlockAddress, what: string): Promise<Uint8Array> {
  const bytes = await source.block(address, what);
  verifyTag(bytes, { ids: [tagIds.allocationExtent], location: address.block, what });
  const end = allocationExtent.sizeBytes + allocationExtent.get(bytes, "descriptorBytes");
  if (end > bytes.length) throw damaged(what, "the rest of its allocation descriptors does not fit its block");
  return bytes.subarray(allocationExtent.sizeBytes, end);
}

/** Where the data of a file that does not stand in its entry is on the device, up to its size. */
export async function* fileParts(source: UdfSource, file: UdfFile, what: string): AsyncGenerator<FilePart> {
  const { blockSizeBytes } = source;
  let at = 0;
  for await (const { partition, block, lengthBytes, isRecorded } of fileExtents(source, file, what)) {
    const end = Math.min(at + lengthBytes, file.sizeBytes);
    if (isRecorded) {
      const places = source.partition(partition, what);
      for (let done = 0; at + done < end;) {
        const { deviceBlock, count } = places.place(block + done / blockSizeBytes, what);
        const length = Math.min(count * blockSizeBytes, end - at - done);
        yield { at: at + done, deviceAt: deviceBlock * blockSizeBytes, lengthBytes: length };
        done += length;
      }
    }
    // All but the last extent are of whole blocks (ECMA-167 4/12).
    at += lengthBytes;
    if (at >= file.sizeBytes) return;
  }
}

/** The content of a file. */
export async function* readContent(source: UdfSource, file: UdfFile, what: string): AsyncGenerator<DataPiece> {
  if (!isInEntry(file)) yield* readParts(source, fileParts(source, file, what));
  else if (file.sizeBytes > 0) yield { at: 0, bytes: contentInEntry(file, what) };
}

/** Where the pieces of `readContent` will be, adjacent ones as one. */
export async function contentStretches(source: UdfSource, file: UdfFile, what: string): Promise<FileStretch[]> {
  if (isInEntry(file)) return file.sizeBytes === 0 ? [] : [{ at: 0, lengthBytes: contentInEntry(file, what).length }];
  const parts: FilePart[] = [];
  for await (const part of fileParts(source, file, what)) parts.push(part);
  return stretchesOf(parts);
}

/** All of a short file, its holes as zeros. Throws `damaged` where it is longer than the limit. */
export async function readWhole(
  source: UdfSource,
  file: UdfFile,
  { limitBytes, what }: { readonly limitBytes: number; readonly what: string },
): Promise<Uint8Array> {
  if (file.sizeBytes > limitBytes) throw damaged(what, `it is ${file.sizeBytes} bytes long`);
  const whole = new Uint8Array(file.sizeBytes);
  for await (const { at, bytes } of readContent(source, file, what)) whole.set(bytes, at);
  return whole;
}

function contentInEntry({ descriptors, sizeBytes }: UdfFile, what: string): Uint8Array {
  if (sizeBytes <= descriptors.length) return descriptors.subarray(0, sizeBytes);
  throw damaged(what, `it holds ${descriptors.length} of its ${sizeBytes} bytes`);
}
