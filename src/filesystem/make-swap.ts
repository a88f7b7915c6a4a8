import { Failure } from "../base/index.ts";
import type { BlockDevice } from "../device/index.ts";
import { swapHeader, swapHeaderAt, swapSignature } from "./recognise/index.ts";

const pageBytes = 4096;
/** mkswap makes no less. */
const leastPages = 10;
const labelLimitBytes = 16;

/** Makes a device swap, as mkswap does with `--uuid` and `--label`. Labels are cut off at 16 bytes. */
export async function makeSwap(
  device: BlockDevice,
  options: { readonly uuid: string; readonly label: string },
): Promise<void> {
  const pages = Math.floor(device.sizeBytes / pageBytes);
  if (pages < leastPages) {
    throw new Failure(
      "no-space",
      `cannot make swap of ${device.sizeBytes} bytes: ${leastPages * pageBytes} are needed`,
    );
  }
  const page = Buffer.alloc(pageBytes);
  const label = Buffer.alloc(labelLimitBytes);
  label.write(options.label);
  const lastPage = Math.min(pages, 2 ** 32) - 1;
  swapHeader.patch(page, { version: 1, lastPage, badPages: 0, uuid: options.uuid, label }, swapHeaderAt);
  page.write(swapSignature, pageBytes - swapSignature.length, "latin1");
  await device.write(0, page);
}
