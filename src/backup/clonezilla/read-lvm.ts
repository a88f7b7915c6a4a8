import { Failure } from "../../base/index.ts";
import type { Stretch, VolumeGroup } from "../lvm/index.ts";
import type { BackupPart } from "./read-parts.ts";
import { textOf, type FolderFiles } from "./small-files.ts";

/** A partition of a volume group: what LVM keeps in front, and the volumes that are on it. */
export interface PhysicalData {
  readonly sizeBytes: number;
  readonly head: Uint8Array;
  readonly volumes: readonly VolumeOnDisk[];
}

export interface VolumeOnDisk {
  readonly sizeBytes: number;
  /** Those on this partition. */
  readonly stretches: readonly Stretch[];
  readonly content: BackupPart | { readonly swap: { readonly uuid: string | undefined; readonly label: string } };
}

/** What is said of the data of a partition that belongs to a group. */
const physicalKind = "lvm";

/** The partition of a group, put together; or that it belongs to none. Throws `damaged`, `unsupported`. */
export async function readPhysical(
  folder: FolderFiles,
  name: string,
  parts: readonly BackupPart[],
): Promise<BackupPart | "no group"> {
  const lines = (await textOf(folder, "lvm_vg_dev.list")).split("\n").map((line) => line.trim().split(/\s+/));
  const [groupName, , id] =
    lines.find(([, device = ""]) => device.replace(/^\/dev\//, "").replaceAll("/", "-") === name) ?? [];
  if (groupName === undefined || id === undefined) return "no group";
  // Few backups need it.
  const { encodePhysicalHead, readVolumeGroup } = await import("../lvm/index.ts");
  const file = `lvm_${groupName}.conf`;
  const group = readVolumeGroup(await textOf(folder, file), groupName);
  const volume = group.physical.find((one) => one.id === id);
  if (volume === undefined) throw new Failure("damaged", `"${file}" does not tell of ${name}`);
  const swaps = await textOf(folder, "lvm_logv.list");
  const volumes = group.logical.flatMap((logical): VolumeOnDisk[] => {
    const stretches = logical.stretches.filter(({ on }) => on === id);
    if (stretches.length === 0) return [];
    const content =
      parts.find((part) => part.name === `${groupName}-${logical.name}`) ?? swapOf(swaps, group, logical.name);
    if (content === undefined)
      throw new Failure("damaged", `there is no data of the LVM volume ${groupName}/${logical.name}`);
    return [{ sizeBytes: logical.sizeBytes, stretches, content }];
  });
  const physical = { sizeBytes: volume.endAt, head: encodePhysicalHead(volume, group.text), volumes };
  return { name, kind: physicalKind, packed: undefined, fileNames: [file], packedBytes: 0, physical };
}

/** Of swap only what it is called is there, as file(1) tells it. */
function swapOf(list: string, { name: group }: VolumeGroup, logical: string): VolumeOnDisk["content"] | undefined {
  const line = list.split("\n").find((one) => one.startsWith(`/dev/${group}/${logical} `) && /swap file/.test(one));
  if (line === undefined) return undefined;
  const [, uuid] = /UUID=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/i.exec(line) ?? [];
  const [, label = ""] = /LABEL=([^,]*)/.exec(line) ?? [];
  return { swap: { uuid, label } };
}
