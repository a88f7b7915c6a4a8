import { Bitmap } from "../../bytes/index.ts";
import type { BlockReader } from "../../device/index.ts";
import type { Extent } from "../file-system.ts";
import { damaged } from "./recognised.ts";

const pieceBytes = 1024 * 1024;

/**
 * How many of the first `bitCount` bits are set of a bitmap that stands in these extents. It is read in pieces. Throws
 * `damaged` where the extents are too short.
 */
export async function countBitmap(
  reader: BlockReader,
  extents: Iterable<Extent> | AsyncIterable<Extent>,
  bitCount: number,
): Promise<number> {
  if (bitCount / 8 > reader.sizeBytes) throw damaged("the bitmap of clusters", "it would be larger than the device");
  const buffer = new Uint8Array(pieceBytes);
  let leftBits = bitCount;
  let setBits = 0;
  for await (const { startBytes, lengthBytes } of extents) {
    for (let done = 0; done < lengthBytes && leftBits > 0; done += pieceBytes) {
      const wantedBytes = Math.min(pieceBytes, lengthBytes - done, Math.ceil(leftBits / 8));
      const piece = buffer.subarray(0, wantedBytes);
      await reader.read(startBytes + done, piece);
      const bits = Math.min(leftBits, wantedBytes * 8);
      setBits += new Bitmap(bits, piece).countSet();
      leftBits -= bits;
    }
    if (leftBits === 0) return setBits;
  }
  if (leftBits === 0) return setBits;
  throw damaged("the bitmap of clusters", `it has ${bitCount - leftBits} bits, ${bitCount} are needed`);
}
