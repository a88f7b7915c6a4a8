import { Failure } from "../../base/index.ts";
import { loadBiosKernel } from "./bios-kernel.ts";
import { blockListEntry, decompressor } from "./core-records.ts";
import { encodeLzma, type LzmaEffort } from "../../tree/lzma/index.ts";
import { makeModuleArea, type ImageRequest } from "./module-area.ts";
import { platformFile, type PlatformFiles } from "./platform-files.ts";

export const coreSectorBytes = 512;
/** A core image has to end below this address; it is loaded at 0x9000 less its first sector, as GRUB counts. */
const coreEndAddress = 0x78000;
const coreLoadAddress = 0x9000;
/** The decompressor lies from 0x8200 to where the kernel begins. */
const decompressorLimitBytes = 0x9000 - 0x8200;

/**
 * GRUB's core image for BIOS, as `grub-mkimage -O i386-pc` makes it: the sector that loads the rest from the sectors
 * behind it, the decompressor, and the compressed kernel with its modules. Of the same input it differs from
 * grub-mkimage's only in how well it is compressed.
 */
export function makeBiosCore(
  grub: PlatformFiles,
  request: ImageRequest,
  effort: LzmaEffort = "small",
): Uint8Array<ArrayBuffer> {
  const kernel = loadBiosKernel(platformFile(grub, "kernel.img"));
  const whole = Buffer.concat([kernel, makeModuleArea(grub, request, 4)]);
  const unpacker = platformFile(grub, "lzma_decompress.img").slice();
  if (unpacker.length < decompressor.sizeBytes || unpacker.length > decompressorLimitBytes) {
    throw new Failure("damaged", `cannot use "lzma_decompress.img" of "${grub.name}": it has ${unpacker.length} bytes`);
  }
  const limitBytes = coreEndAddress - coreLoadAddress - unpacker.length;
  const quick = effort === "quick" ? encodeLzma(whole, "quick") : undefined;
  const compressed = quick !== undefined && quick.length <= limitBytes ? quick : encodeLzma(whole);
  decompressor.patch(unpacker, { compressedBytes: compressed.length, uncompressedBytes: whole.length });
  const loaded = Buffer.concat([unpacker, compressed]);
  if (compressed.length > limitBytes) {
    throw new Failure("no-space", `cannot make a core image of ${loaded.length} bytes: GRUB loads fewer than 454,656`, {
      hint: "leave modules out: GRUB loads them from /boot/grub when it needs them",
    });
  }
  return new Uint8Array(Buffer.concat([diskLoader(grub, loaded.length), loaded]));
}

/** The first sector: its block list already says that the rest follows at sector 2. */
function diskLoader(grub: PlatformFiles, loadedBytes: number): Uint8Array {
  const loader = platformFile(grub, "diskboot.img").slice();
  if (loader.length !== coreSectorBytes) {
    throw new Failure("damaged", `cannot use "diskboot.img" of "${grub.name}": it has ${loader.length} bytes, not 512`);
  }
  const sectorCount = Math.ceil(loadedBytes / coreSectorBytes);
  blockListEntry.patch(loader, { sectorCount }, coreSectorBytes - blockListEntry.sizeBytes);
  return loader;
}
