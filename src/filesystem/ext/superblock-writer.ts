import { crc32c, crc32cCompensation } from "../../bytes/index.ts";
import { readBytes, type BlockDevice } from "../../device/index.ts";
import { hasFeature, type FeatureWords } from "./features.ts";
import { superblock, superblockAt } from "./superblock.ts";

const sectorBytes = 512;
const checksumAt = superblock.fields.checksum[0];
const compensationAt = superblock.fields.unusedCompression[0];

/**
 * Writes the superblock so that no loss of power can tear it. Its checksum stands in its second sector, nearly all
 * that changes in its first: so the checksum is kept as it is, by choosing the four bytes that belonged to a
 * compression that Linux never had, and only the first sector is written.
 */
export class SuperblockWriter {
  readonly #device: BlockDevice;
  #onDevice: Uint8Array;

  private constructor(device: BlockDevice, onDevice: Uint8Array) {
    this.#device = device;
    this.#onDevice = onDevice;
  }

  static async open(device: BlockDevice): Promise<SuperblockWriter> {
    return new SuperblockWriter(device, await readBytes(device, superblockAt, superblock.sizeBytes));
  }

  /** The superblock as it stands on the device. */
  get onDevice(): Uint8Array {
    return this.#onDevice;
  }

  /** Makes a changed superblock's checksum right, in the way that lets it be written in one piece. */
  seal(bytes: Uint8Array): void {
    if (!hasFeature(featuresIn(bytes), "metadata_csum")) return;
    const isFirstSectorOnly =
      Buffer.compare(bytes.subarray(sectorBytes, checksumAt), this.#onDevice.subarray(sectorBytes, checksumAt)) === 0;
    const before = superblock.get(this.#onDevice, "checksum");
    if (isFirstSectorOnly && crc32c(this.#onDevice, 0xffffffff, 0, checksumAt) === before) {
      bytes.set(crc32cCompensation(bytes.subarray(0, checksumAt), compensationAt, before), compensationAt);
      superblock.patch(bytes, { checksum: before });
    } else {
      superblock.patch(bytes, { checksum: crc32c(bytes, 0xffffffff, 0, checksumAt) });
    }
  }

  /**
   * Writes a sealed superblock: of its two sectors those that changed. Where that is both, the first goes ahead with
   * the checksum that stands in the second, so that it is right between the two, whichever of them is lost.
   */
  async write(bytes: Uint8Array): Promise<void> {
    const isSame = (from: number, to: number) =>
      Buffer.compare(bytes.subarray(from, to), this.#onDevice.subarray(from, to)) === 0;
    if (!isSame(0, sectorBytes) && !isSame(sectorBytes, superblock.sizeBytes)) await this.#writeFirst(bytes);
    const from = isSame(0, sectorBytes) ? sectorBytes : 0;
    const to = isSame(sectorBytes, superblock.sizeBytes) ? sectorBytes : superblock.sizeBytes;
    if (from < to) await this.#device.write(superblockAt + from, bytes.subarray(from, to));
    this.#onDevice = Uint8Array.from(bytes);
  }

  /** Writes the first sector so that it goes with the second as it stands, and lets `bytes` be what follows it. */
  async #writeFirst(bytes: Uint8Array): Promise<void> {
    const between = Uint8Array.from(this.#onDevice);
    between.set(bytes.subarray(0, sectorBytes));
    this.seal(between);
    await this.#device.write(superblockAt, between.subarray(0, sectorBytes));
    await this.#device.flush();
    bytes.set(between.subarray(0, sectorBytes));
    if (hasFeature(featuresIn(bytes), "metadata_csum")) {
      superblock.patch(bytes, { checksum: crc32c(bytes, 0xffffffff, 0, checksumAt) });
    }
    this.#onDevice = between;
  }
}

/** The feature words of a superblock, without decoding the rest of it. */
function featuresIn(bytes: Uint8Array): FeatureWords {
  return {
    compatible: superblock.get(bytes, "compatible"),
    incompatible: superblock.get(bytes, "incompatible"),
    readOnlyCompatible: superblock.get(bytes, "readOnlyCompatible"),
  };
}
