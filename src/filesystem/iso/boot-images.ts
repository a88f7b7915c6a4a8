import type { BlockReader } from "../../device/index.ts";
import { ChunkCache } from "../chunk-cache.ts";
import { readBootCatalogue, type BootImage } from "./el-torito.ts";
import { sectorBytes } from "./volume-descriptor.ts";
import { readVolumeDescriptors } from "./volume-descriptors.ts";

/** The images from which firmware starts an ISO 9660 disc (El Torito), in the order of its catalogue; none where it has none. */
export async function readBootImages(reader: BlockReader): Promise<readonly BootImage[]> {
  return (await readCatalogue(reader)).images;
}

/** Where on the disc its boot catalogue and the images in it begin: what makes a disc writes into these, wherever they came from. */
export async function bootPlaces(reader: BlockReader): Promise<ReadonlySet<number>> {
  const { images, catalogueSector } = await readCatalogue(reader);
  const sectors = images.map(({ startSector }) => startSector);
  return new Set([...sectors, ...(catalogueSector === undefined ? [] : [catalogueSector])].map((n) => n * sectorBytes));
}

async function readCatalogue(
  reader: BlockReader,
): Promise<{ readonly images: readonly BootImage[]; readonly catalogueSector: number | undefined }> {
  const { primary, catalogueSector } = await readVolumeDescriptors(reader);
  const structures = new ChunkCache(reader, { chunkBytes: 4096, chunkLimit: 2 });
  const { images } = await readBootCatalogue({ blockSizeBytes: primary.blockSizeBytes, structures }, catalogueSector);
  return { images, catalogueSector };
}
