import { readBytes, type BlockReader } from "../../device/index.ts";

/** What `implantisomd5` leaves in an ISO: a sum over it, but for the place of the sum and what is skipped at the end. */
export interface ImplantedMd5 {
  readonly hex: string;
  /** How many bytes of the ISO, from its start, were summed up. */
  readonly sizeBytes: number;
  /** Where the record stands; it was blanks when the sum was made. */
  readonly recordAt: number;
  readonly recordBytes: number;
}

const sectorBytes = 2048;
const primaryDescriptorAt = 16 * sectorBytes;
/** ECMA-119 §8.4: the size of the volume, in blocks; the area that applications may use. */
const spaceBlocksAt = 80;
const applicationUseAt = 883;
const applicationUseBytes = 512;

/** The record in the primary volume descriptor, if there is one. */
export async function readImplantedMd5(reader: BlockReader): Promise<ImplantedMd5 | undefined> {
  if (reader.sizeBytes < primaryDescriptorAt + sectorBytes) return undefined;
  const descriptor = Buffer.from(await readBytes(reader, primaryDescriptorAt, sectorBytes));
  if (descriptor.toString("latin1", 0, 6) !== "\u0001CD001") return undefined;
  const record = descriptor.toString("latin1", applicationUseAt, applicationUseAt + applicationUseBytes);
  const hex = /ISO MD5SUM = ([0-9a-fA-F]{32});/.exec(record)?.[1];
  if (hex === undefined) return undefined;
  const skipSectors = Number(/SKIPSECTORS = (\d{1,9});/.exec(record)?.[1] ?? "0");
  const sizeBytes = (descriptor.readUInt32LE(spaceBlocksAt) - skipSectors) * sectorBytes;
  if (sizeBytes <= primaryDescriptorAt + sectorBytes || sizeBytes > reader.sizeBytes) return undefined;
  return {
    hex: hex.toLowerCase(),
    sizeBytes,
    recordAt: primaryDescriptorAt + applicationUseAt,
    recordBytes: applicationUseBytes,
  };
}
