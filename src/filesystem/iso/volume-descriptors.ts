import type { StructRecord } from "../../bytes/index.ts";
import { readBytes, type BlockReader } from "../../device/index.ts";
import { damaged } from "../damaged.ts";
import {
  bootRecord,
  bootRecordType,
  elToritoId,
  firstDescriptorAt,
  primaryType,
  sectorBytes,
  standardId,
  supplementaryType,
  terminatorType,
  volumeDescriptor,
} from "./volume-descriptor.ts";

/** A primary or supplementary volume descriptor. */
export type VolumeDescriptor = StructRecord<typeof volumeDescriptor>;

/** What the volume descriptors of a device tell; of each kind the first. */
export interface VolumeDescriptors {
  readonly primary: VolumeDescriptor;
  readonly joliet: VolumeDescriptor | undefined;
  readonly enhanced: VolumeDescriptor | undefined;
  /** Where the El Torito boot catalogue is. */
  readonly catalogueSector: number | undefined;
  /** All that have a tree, as they stand on the device. */
  readonly withTrees: readonly Uint8Array[];
  /** Whether something else stands where the descriptors should end. */
  readonly isOpenEnded: boolean;
}

/** After so many without a terminator there is none. */
const descriptorLimit = 100;
const blockSizes = [512, 1024, 2048];
/** By which Joliet names its levels 1 to 3 (Joliet specification, "SVD Escape Sequences Field"). */
const jolietEscapes = /^%\/[@CE]/;

/** Whether a supplementary descriptor is that of a Joliet tree. */
export function isJoliet({ escapeSequences }: VolumeDescriptor): boolean {
  return jolietEscapes.test(Buffer.from(escapeSequences).toString("latin1"));
}

/** Reads the volume descriptors up to their terminator. Throws `damaged` where there is no usable primary one. */
export async function readVolumeDescriptors(reader: BlockReader): Promise<VolumeDescriptors> {
  let primary: VolumeDescriptor | undefined;
  let joliet: VolumeDescriptor | undefined;
  let enhanced: VolumeDescriptor | undefined;
  let catalogueSector: number | undefined;
  const withTrees: Uint8Array[] = [];
  let isOpenEnded = true;
  for await (const bytes of descriptors(reader)) {
    const type = bytes[0];
    if (type === bootRecordType) {
      const { systemId, catalogueSector: sector } = bootRecord.decode(bytes);
      if (systemId.startsWith(elToritoId)) catalogueSector ??= sector;
    } else if (type === terminatorType) {
      isOpenEnded = false;
    } else if (type === primaryType) {
      primary ??= volumeDescriptor.decode(bytes);
      withTrees.push(bytes);
    } else if (type === supplementaryType) {
      const descriptor = volumeDescriptor.decode(bytes);
      if (isJoliet(descriptor)) joliet ??= descriptor;
      else if (descriptor.version === 2) enhanced ??= descriptor;
      withTrees.push(bytes);
    }
  }
  if (primary === undefined) throw damaged("the ISO 9660 volume", "it has no primary volume descriptor");
  if (!blockSizes.includes(primary.blockSizeBytes)) {
    throw damaged("the ISO 9660 volume", `a block size of ${primary.blockSizeBytes} bytes cannot be`);
  }
  return { primary, joliet, enhanced, catalogueSector, withTrees, isOpenEnded };
}

async function* descriptors(reader: BlockReader): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < descriptorLimit; n++) {
    const at = firstDescriptorAt + n * sectorBytes;
    if (at + sectorBytes > reader.sizeBytes) return;
    const bytes = await readBytes(reader, at, sectorBytes);
    const { type, standardId: id } = volumeDescriptor.decode(bytes);
    if (id !== standardId) return;
    yield bytes;
    if (type === terminatorType) return;
  }
}
