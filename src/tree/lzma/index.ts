import { MatchFinder } from "./match-finder.ts";
import { Parser } from "./parser.ts";
import { QuickParser } from "./quick-parser.ts";
import { SymbolWriter } from "./symbol-writer.ts";

export { encodeXzBlock, encodeXzIndex, encodeXzStart, xzBlockPlainBytes, type XzBlock } from "./xz.ts";

/** How far back GRUB's decompressor for BIOS looks. */
const dictionaryBytes = 65536;

/** `small`: the cheapest way that is found. `quick`: a sixth of the time, and one byte in eighteen more. */
export type LzmaEffort = "small" | "quick";

/**
 * Raw LZMA as GRUB's `lzma_decompress.img` reads it: lc=3, lp=0, pb=2, a dictionary of 64 KiB, no header and no end
 * mark. The same data gives the same bytes.
 */
export function encodeLzma(data: Uint8Array, effort: LzmaEffort = "small"): Uint8Array<ArrayBuffer> {
  const writer = new SymbolWriter(data);
  if (effort === "quick") {
    const parser = new QuickParser(data, dictionaryBytes);
    while (writer.position < data.length) writer.write(parser.nextStep(writer));
  } else {
    const parser = new Parser(data, new MatchFinder(data, dictionaryBytes));
    while (writer.position < data.length) {
      for (const step of parser.nextSteps(writer)) writer.write(step);
    }
  }
  return writer.finish();
}
