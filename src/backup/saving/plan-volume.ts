import type { BlockReader } from "../../device/index.ts";
import type { Content } from "../content.ts";
import type { Part } from "../packed/index.ts";
import { fillPart, partLimitBytes, partsOf, planImage } from "../partclone/index.ts";
import type { Volume } from "./request.ts";

/** How much of the disk a part of plain bytes has. */
const wholePartBytes = 4 * 1024 * 1024;
/** The most that a part takes. */
export const largestPartBytes = Math.max(partLimitBytes, wholePartBytes);

/** The data of a partition before it is read. */
export interface PlannedVolume {
  /** As file names have it: `ext4`, `dd`. */
  readonly kind: string;
  /** What of the disk is read. */
  readonly usedBytes: number;
  readonly parts: Iterable<Part>;
}

/** Finds out what of a partition is saved, in which parts. */
export async function planVolume(volume: Volume, content: Content): Promise<PlannedVolume> {
  const { reader, sizeBytes } = volume;
  if (content.saved !== "image") return { kind: "dd", usedBytes: sizeBytes, parts: wholeParts(reader) };
  const { imageName, blockBytes, fileSystem, tag } = content;
  const usedExtents = fileSystem.usedExtents();
  const plan = await planImage({ fileSystem: imageName, blockBytes, sizeBytes: content.sizeBytes, usedExtents });
  const { usedBytes, head } = plan;
  function* parts(): Generator<Part, void, void> {
    yield* headParts(head);
    for (const part of partsOf(plan)) {
      const { lengthBytes, dataBytes } = part;
      yield { lengthBytes, sourceBytes: dataBytes, fill: (into) => fillPart(reader, part, into) };
    }
  }
  return { kind: tag, usedBytes, parts: parts() };
}

/** What is probably read of a partition, before it is looked through. */
export function expectedBytes({ content, sizeBytes }: Volume): number {
  if (content === undefined || content.saved === "swap") return 0;
  if (content.saved === "whole") return sizeBytes;
  const { info } = content.fileSystem;
  return info.sizeBytes - info.freeBytes;
}

function* headParts(head: Uint8Array): Generator<Part, void, void> {
  for (let at = 0; at < head.length; at += wholePartBytes) {
    const bytes = head.subarray(at, at + wholePartBytes);
    yield { lengthBytes: bytes.length, sourceBytes: 0, fill: async (into) => into.set(bytes) };
  }
}

function* wholeParts(reader: BlockReader): Generator<Part, void, void> {
  for (let at = 0; at < reader.sizeBytes; at += wholePartBytes) {
    const lengthBytes = Math.min(wholePartBytes, reader.sizeBytes - at);
    yield { lengthBytes, sourceBytes: lengthBytes, fill: (into) => reader.read(at, into) };
  }
}
