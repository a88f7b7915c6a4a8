import { createHash } from "node:crypto";
import { readBytes, type BlockReader, type Unreadable } from "../../device/index.ts";
import type { Content, ImageContent } from "../content.ts";
import type { Part } from "../packed/index.ts";
import { fillPart, partLimitBytes, partsOf, planImage, type ImagePlan } from "../partclone/index.ts";
import { hasUnreadable, isDamage } from "./check-volume.ts";
import type { Volume } from "./request.ts";

/** How much of the disk a part of plain bytes has. */
const wholePartBytes = 4 * 1024 * 1024;
/** The most that a part takes. */
export const largestPartBytes = Math.max(partLimitBytes, wholePartBytes);

/** The data of a partition before it is read. */
export interface PlannedVolume {
  readonly saved: "image" | "whole";
  /** As file names have it: `ext4`, `dd`. */
  readonly kind: string;
  /** What of the disk is read. */
  readonly usedBytes: number;
  readonly parts: () => Iterable<Part>;
  /** Changes where what is to be saved does, as far as the beginning of the partition and the map of its blocks tell. */
  readonly identity: string;
  /** Why more is saved than what is used. */
  readonly warning?: string;
}

export interface PlanOptions {
  /** Save whole what contradicts itself. */
  readonly isUnchecked: boolean;
  readonly unreadable: Unreadable;
  /** How it was begun to be saved, where that was broken off. */
  readonly saved?: PlannedVolume["saved"];
}

/** Finds out what of a partition is saved, in which parts. */
export async function planVolume(volume: Volume, content: Content, options: PlanOptions): Promise<PlannedVolume> {
  if (content.saved !== "image" || options.saved === "whole") return planWhole(volume);
  let plan: ImagePlan;
  try {
    plan = await planContent(content);
  } catch (error) {
    if (!options.isUnchecked || !isDamage(error)) throw error;
    return { ...(await planWhole(volume)), warning: `${volume.name}: it is damaged, and saved whole` };
  }
  // With zeros in them, the maps of what is used leave out what is not.
  if (options.saved === undefined && hasUnreadable(volume, options.unreadable)) {
    const warning = `${volume.name}: what is used of it cannot be read; it is saved whole`;
    return { ...(await planWhole(volume)), warning };
  }
  const identity = await identityOf(volume, plan.head);
  return {
    saved: "image",
    kind: content.tag,
    usedBytes: plan.usedBytes,
    parts: () => imageParts(volume, plan),
    identity,
  };
}

function* imageParts({ reader }: Volume, plan: ImagePlan): Generator<Part, void, void> {
  yield* headParts(plan.head);
  for (const part of partsOf(plan)) {
    const { lengthBytes, dataBytes, strips } = part;
    yield { lengthBytes, sourceBytes: dataBytes, fill: (into) => fillPart(reader, part, into), sealed: strips };
  }
}

function planContent(content: ImageContent): Promise<ImagePlan> {
  const { imageName, blockBytes, sizeBytes, deviceBytes, fileSystem } = content;
  const device = deviceBytes === undefined ? {} : { deviceBytes };
  return planImage({ fileSystem: imageName, blockBytes, sizeBytes, ...device, usedExtents: fileSystem.usedExtents() });
}

async function planWhole(volume: Volume): Promise<PlannedVolume> {
  const { reader, sizeBytes } = volume;
  const identity = await identityOf(volume, new Uint8Array(0));
  return { saved: "whole", kind: "dd", usedBytes: sizeBytes, parts: () => wholeParts(reader), identity };
}

/** Superblocks are within this. */
const firstBytes = 128 * 1024;

async function identityOf({ reader, sizeBytes }: Volume, head: Uint8Array): Promise<string> {
  const first = await readBytes(reader, 0, Math.min(firstBytes, reader.sizeBytes));
  return createHash("sha256").update(`${sizeBytes} `).update(head).update(first).digest("hex");
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
