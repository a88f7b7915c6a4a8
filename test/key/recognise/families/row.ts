import type { StartMethod } from "../../../../src/key/recognise/index.ts";
import { initrdOf, kernelStub, type SampleFiles } from "../sample-iso.ts";

/** An ISO laid out as those of a family, and what is to come out of it. */
export interface Row {
  /** In the table of distributions, and who is meant. */
  readonly name: string;
  readonly family: string;
  readonly files: SampleFiles;
  readonly expected: StartMethod | { readonly refusal: RegExp };
}

/** What all of them are called. */
export const label = "SOME_LABEL-7";
export const kernel = kernelStub();
export const microcode = initrdOf("kernel/x86/microcode/GenuineIntel.bin");
/** What only the key knows. */
export const [iso, uuid] = ["${isoPath}", "${isosUuid}"];

export const dracutWords: readonly string[] = [
  `root=live:CDLABEL=${label}`,
  "rd.live.image",
  `iso-scan/filename=${iso}`,
];
export const anacondaWords: readonly string[] = [`inst.stage2=hd:LABEL=${label}`, `iso-scan/filename=${iso}`];

export function linux(path: string, initrds: readonly string[], ...words: readonly string[]): StartMethod {
  return { kind: "linux", kernel: path, initrds, words };
}
