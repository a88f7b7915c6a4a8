import { Failure } from "../../base/index.ts";
import type { DataPiece, FileStretch } from "../../tree/index.ts";
import { inlineDataRest } from "./attribute-list.ts";
import { fileRuns, inlineRuns } from "./block-runs.ts";
import { pieceLimitBytes } from "./buffer-pool.ts";
import { damaged } from "../damaged.ts";
import type { FilePlace } from "../file-system.ts";
import type { ExtInode } from "./ext-inode.ts";
import type { FileRun } from "./file-run.ts";
import { hasFlag } from "./inode-reader.ts";
import type { ExtSource } from "./source.ts";

/** A file up to this size is read through the cache, with its neighbours. */
const smallFileBytes = 32 * 1024;

/** A stretch of a file without holes, and the stretches of the device that make it up. */
interface PiecePlan {
  readonly at: number;
  lengthBytes: number;
  readonly parts: { readonly deviceAt: number; lengthBytes: number }[];
}

/** The data of a regular file (or of any inode with blocks), without its holes, up to its size. */
export async function* readContent(source: ExtSource, inode: ExtInode): AsyncGenerator<DataPiece> {
  if (hasFlag(inode, "encrypted")) {
    throw new Failure("unsupported", `cannot read inode ${inode.id}: its content is encrypted`);
  }
  if (hasFlag(inode, "inlineData")) {
    const bytes = inlineContent(inode);
    if (bytes.length > 0) yield { at: 0, bytes };
    return;
  }
  if (inode.sizeBytes <= smallFileBytes) yield* readSmall(source, inode);
  else yield* readAhead(source, inode);
}

/** Where the pieces of `readContent` will be, adjacent ones as one. */
export async function contentStretches(source: ExtSource, inode: ExtInode): Promise<FileStretch[]> {
  if (hasFlag(inode, "inlineData")) return [{ at: 0, lengthBytes: inode.sizeBytes }];
  const stretches: { readonly at: number; lengthBytes: number }[] = [];
  for await (const { at, lengthBytes } of planPieces(source, inode)) {
    const last = stretches.at(-1);
    if (last !== undefined && last.at + last.lengthBytes === at) last.lengthBytes += lengthBytes;
    else stretches.push({ at, lengthBytes });
  }
  return stretches;
}

/** Where the data stands; undefined where that is in the inode, or encrypted. */
export async function contentPlaces(source: ExtSource, inode: ExtInode): Promise<FilePlace[] | undefined> {
  if (hasFlag(inode, "inlineData") || hasFlag(inode, "encrypted")) return undefined;
  const places: FilePlace[] = [];
  for await (const { at: pieceAt, parts } of planPieces(source, inode)) {
    let at = pieceAt;
    for (const { deviceAt, lengthBytes } of parts) {
      places.push({ at, deviceAt, lengthBytes });
      at += lengthBytes;
    }
  }
  return places;
}

/** All of a short file as one piece, its holes as zeros. The caller has looked at its size. */
export async function readWhole(source: ExtSource, inode: ExtInode): Promise<Uint8Array> {
  const whole = new Uint8Array(inode.sizeBytes);
  for await (const piece of readContent(source, inode)) whole.set(piece.bytes, piece.at);
  return whole;
}

/** The content of a file that stands in its inode: the first 60 bytes, the rest as an attribute. */
export function inlineContent(inode: ExtInode): Uint8Array {
  const rest = inode.sizeBytes > inode.block.length ? inlineDataRest(inode) : new Uint8Array(0);
  if (inode.sizeBytes > inode.block.length + rest.length) {
    throw damaged(`inode ${inode.id}`, `it holds ${inode.block.length + rest.length} of its ${inode.sizeBytes} bytes`);
  }
  return Buffer.concat([inode.block, rest]).subarray(0, inode.sizeBytes);
}

async function* readSmall(source: ExtSource, inode: ExtInode): AsyncGenerator<DataPiece> {
  for await (const plan of planInline(source, inode) ?? planPieces(source, inode)) {
    const [first] = plan.parts;
    if (first !== undefined && plan.parts.length === 1 && source.contents.canLend(first.deviceAt, plan.lengthBytes)) {
      const lent = await source.contents.lend(first.deviceAt, plan.lengthBytes);
      try {
        yield { at: plan.at, bytes: lent.bytes };
      } finally {
        lent.giveBack();
      }
    } else {
      yield { at: plan.at, bytes: await readPiece(source, plan, new Uint8Array(plan.lengthBytes)) };
    }
  }
}

/** Reads the next piece while the one before it is worked on, in two buffers that take turns. */
async function* readAhead(source: ExtSource, inode: ExtInode): AsyncGenerator<DataPiece> {
  const buffers = [source.buffers.take(), source.buffers.take()] as const;
  let turn: 0 | 1 = 0;
  let ahead: { readonly at: number; readonly bytes: Promise<Uint8Array> } | undefined;
  try {
    for await (const plan of planPieces(source, inode)) {
      const before = ahead === undefined ? undefined : { at: ahead.at, bytes: await ahead.bytes };
      ahead = { at: plan.at, bytes: readPiece(source, plan, buffers[turn].subarray(0, plan.lengthBytes)) };
      ahead.bytes.catch(() => {}); // seen when its turn comes
      turn = turn === 0 ? 1 : 0;
      if (before !== undefined) yield before;
    }
    if (ahead !== undefined) yield { at: ahead.at, bytes: await ahead.bytes };
  } finally {
    await ahead?.bytes.catch(() => {}); // who gives up must not close the device under a read
    for (const buffer of buffers) source.buffers.giveBack(buffer);
  }
}

async function readPiece(source: ExtSource, plan: PiecePlan, into: Uint8Array): Promise<Uint8Array> {
  let done = 0;
  for (const part of plan.parts) {
    await source.reader.read(part.deviceAt, into.subarray(done, done + part.lengthBytes));
    done += part.lengthBytes;
  }
  return into;
}

/** Joins runs that follow each other in the file, and on the device where they do there too. */
async function* planPieces(source: ExtSource, inode: ExtInode): AsyncGenerator<PiecePlan> {
  let open: PiecePlan | undefined;
  for await (const run of fileRuns(source, inode)) {
    const { whole, last } = addRun(source, inode, run, open);
    yield* whole;
    open = last;
  }
  if (open !== undefined) yield open;
}

/** The same where the map stands in the inode: without waiting for anything. */
function planInline(source: ExtSource, inode: ExtInode): PiecePlan[] | undefined {
  const runs = inlineRuns(source, inode);
  if (runs === undefined) return undefined;
  const plans: PiecePlan[] = [];
  let open: PiecePlan | undefined;
  for (const run of runs) {
    const { whole, last } = addRun(source, inode, run, open);
    plans.push(...whole);
    open = last;
  }
  if (open !== undefined) plans.push(open);
  return plans;
}

/** Adds a run to the piece that is open: gives the pieces that are whole by that, and the one that is open then. */
function addRun(
  source: ExtSource,
  inode: ExtInode,
  run: FileRun,
  open: PiecePlan | undefined,
): { readonly whole: readonly PiecePlan[]; readonly last: PiecePlan | undefined } {
  const { blockSizeBytes } = source.layout;
  const whole: PiecePlan[] = [];
  let plan = open;
  const start = run.logical * blockSizeBytes;
  const end = run.isWritten ? Math.min(start + run.count * blockSizeBytes, inode.sizeBytes) : start;
  for (let at = start; at < end;) {
    if (plan !== undefined && (plan.at + plan.lengthBytes !== at || plan.lengthBytes >= pieceLimitBytes)) {
      whole.push(plan);
      plan = undefined;
    }
    plan ??= { at, lengthBytes: 0, parts: [] };
    const lengthBytes = Math.min(end - at, pieceLimitBytes - plan.lengthBytes);
    extend(plan, run.physical * blockSizeBytes + (at - start), lengthBytes);
    at += lengthBytes;
  }
  return { whole, last: plan };
}

function extend(plan: PiecePlan, deviceAt: number, lengthBytes: number): void {
  const last = plan.parts.at(-1);
  if (last !== undefined && last.deviceAt + last.lengthBytes === deviceAt) last.lengthBytes += lengthBytes;
  else plan.parts.push({ deviceAt, lengthBytes });
  plan.lengthBytes += lengthBytes;
}
