import { Failure, type JobOptions } from "../../base/index.ts";
import { UnflushedDevice, type BlockDevice } from "../../device/index.ts";
import type { Timestamp, TreeSource } from "../../tree/index.ts";
import { filling, notLaterThan } from "../new-volume.ts";
import { putTree } from "../put-tree.ts";
import { parseVolumeNumber } from "../volume-number.ts";
import { encodeOem } from "./code-page.ts";
import { editFat } from "./edit/open-editor.ts";
import { writeEmpty } from "./format.ts";
import type { FatKind } from "./layout.ts";
import { planLayout, sectorBytes, type LayoutWish } from "./plan-layout.ts";

/** What a user may ask of a new file system. Everything but the kind has a default. */
export interface FatOptions extends LayoutWish {
  /** At most 11 characters. */
  readonly label?: string;
  /** Eight hexadecimal digits, as in `1234-ABCD`, or a UUID of which the first eight are taken. */
  readonly uuid: string;
  /** The time of making. With `isReproducible` also the latest time that any file is given. */
  readonly now: Timestamp;
  readonly isReproducible?: boolean;
}

/** Where the file system is on its disk, which its boot sector says too. */
export interface PlaceOnDisk {
  readonly startLba: number;
  readonly geometry: { readonly heads: number; readonly sectors: number };
}

export interface MadeFat {
  readonly kind: FatKind;
  /** What could not be kept, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Makes a FAT file system over all of `device` and fills it from `sources`, in their order. The device reads as zeros,
 * or else holds what no longer matters. Throws `no-space` where the files do not fit, `usage` where the kind does not
 * fit the size.
 */
export async function makeFat(
  device: BlockDevice,
  sources: readonly TreeSource[],
  options: FatOptions & JobOptions & { readonly place?: PlaceOnDisk },
): Promise<MadeFat> {
  const layout = planLayout(options, device.sizeBytes);
  const { now } = options;
  await writeEmpty(device, layout, {
    label: labelBytes(options.label),
    volumeId: parseVolumeNumber("FAT", options.uuid),
    now,
    place: options.place,
  });
  const warnings: string[] = [];
  const unflushed = new UnflushedDevice(device, 0, layout.sectorCount * sectorBytes);
  await using fileSystem = await editFat(unflushed, { now, onWarning: (message) => void warnings.push(message) });
  const trees = options.isReproducible === true ? sources.map((source) => notLaterThan(now, source)) : sources;
  await filling(`${layout.kind} of ${device.sizeBytes} bytes`, async () => {
    await putTree(fileSystem, "/", trees, { ...options, onExisting: "replace" });
    await fileSystem.commit(options);
  });
  return { kind: layout.kind, warnings };
}

const labelLength = 11;
// oxlint-disable-next-line no-control-regex
const notInLabels = /[\u0000-\u001f"*+,./:;<=>?[\\\]|\u007f]/;

function labelBytes(label: string | undefined): Uint8Array | undefined {
  if (label === undefined || label === "") return undefined;
  const bytes = encodeOem(label);
  const bad = notInLabels.exec(label)?.[0];
  if (bytes !== undefined && bytes.length <= labelLength && bad === undefined && !label.startsWith(" ")) {
    return Buffer.concat([bytes, Buffer.alloc(labelLength, " ")]).subarray(0, labelLength);
  }
  const why =
    bytes === undefined
      ? "it has a character that is not in code page 437"
      : bad === undefined
        ? `a label has at most ${labelLength} characters and does not begin with a space`
        : `${JSON.stringify(bad)} cannot be in one`;
  throw new Failure("usage", `cannot use the label "${label}" on FAT: ${why}`);
}
