import type { BlockReader } from "../../device/index.ts";
import { ChunkCache } from "../chunk-cache.ts";
import { readBootCatalogue, type BootImage } from "./el-torito.ts";
import { readVolumeDescriptors } from "./volume-descriptors.ts";

/** The images from which firmware starts an ISO 9660 disc (El Torito), in the order of its catalogue; none where it has none. */
export async function readBootImages(reader: BlockReader): Promise<readonly BootImage[]> {
  const { primary, catalogueSector } = await readVolumeDescriptors(reader);
  const structures = new ChunkCache(reader, { chunkBytes: 4096, chunkLimit: 2 });
  return (await readBootCatalogue({ blockSizeBytes: primary.blockSizeBytes, structures }, catalogueSector)).images;
}
