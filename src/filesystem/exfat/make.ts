import { Failure, type JobOptions } from "../../base/index.ts";
import { UnflushedDevice, type BlockDevice } from "../../device/index.ts";
import type { Timestamp, TreeSource } from "../../tree/index.ts";
import { filling, notLaterThan } from "../new-volume.ts";
import { putTree } from "../put-tree.ts";
import { parseVolumeNumber } from "../volume-number.ts";
import { editExfat } from "./edit/open-editor.ts";
import { writeEmpty } from "./format.ts";
import { planLayout, sectorBytes } from "./plan-layout.ts";
import { labelLimit } from "./volume-entries.ts";

/** What a user may ask of a new file system. */
export interface ExfatOptions {
  readonly kind: "exfat";
  readonly clusterSizeBytes?: number;
  /** At most 11 UTF-16 units. */
  readonly label?: string;
  /** Eight hexadecimal digits, as in `1234-ABCD`, or a UUID of which the first eight are taken. */
  readonly uuid: string;
  /** The time of making. With `isReproducible` also the latest time that any file is given. */
  readonly now: Timestamp;
  readonly isReproducible?: boolean;
}

export interface MadeExfat {
  /** What could not be kept, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Makes an exFAT file system over all of `device` and fills it from `sources`, in their order. The device reads as
 * zeros, or else holds what no longer matters. Throws `no-space` where the files do not fit, `usage` where the clusters
 * do not go with the size.
 */
export async function makeExfat(
  device: BlockDevice,
  sources: readonly TreeSource[],
  options: ExfatOptions & JobOptions & { readonly place?: { readonly startLba: number } },
): Promise<MadeExfat> {
  const layout = planLayout(device.sizeBytes, options.clusterSizeBytes);
  const { now, label = "" } = options;
  refuseLabel(label);
  await writeEmpty(device, layout, {
    label,
    serial: parseVolumeNumber("exFAT", options.uuid),
    partitionSector: options.place?.startLba ?? 0,
  });
  const warnings: string[] = [];
  const unflushed = new UnflushedDevice(device, 0, layout.sectorCount * sectorBytes);
  await using fileSystem = await editExfat(unflushed, { now, onWarning: (message) => void warnings.push(message) });
  const trees = options.isReproducible === true ? sources.map((source) => notLaterThan(now, source)) : sources;
  await filling(`exfat of ${device.sizeBytes} bytes`, async () => {
    await putTree(fileSystem, "/", trees, { ...options, onExisting: "replace" });
    await fileSystem.commit(options);
  });
  return { warnings };
}

// oxlint-disable-next-line no-control-regex
const notInLabels = /[\u0000-\u001f"*/:<>?\\|]/;

function refuseLabel(label: string): void {
  const bad = notInLabels.exec(label)?.[0];
  if (bad === undefined && label.length <= labelLimit && label.isWellFormed()) return;
  const why =
    bad === undefined ? `a label has at most ${labelLimit} characters` : `${JSON.stringify(bad)} cannot be in one`;
  throw new Failure("usage", `cannot use the label "${label}" on exFAT: ${why}`);
}
