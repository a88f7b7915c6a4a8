import type { Screen } from "./machine/index.ts";

/** Less of a screen than this is a cursor, or a line that GRUB has printed. */
const leastChange = 0.04;
const leastContent = 0.002;
const pixelBytes = 3;

/** Whether much of a screen is not what another shows. */
export function differsFrom(screen: Screen, other: Screen): boolean {
  const { widthPixels, heightPixels, pixels } = screen;
  if (widthPixels !== other.widthPixels || heightPixels !== other.heightPixels) return true;
  let different = 0;
  for (let at = 0; at < pixels.length; at += pixelBytes) if (!isSamePixel(pixels, at, other.pixels, at)) different++;
  return different > widthPixels * heightPixels * leastChange;
}

/** Whether a screen shows nothing but one colour, or next to nothing. */
export function isBlank({ widthPixels, heightPixels, pixels }: Screen): boolean {
  let different = 0;
  for (let at = 0; at < pixels.length; at += pixelBytes) if (!isSamePixel(pixels, at, pixels, 0)) different++;
  const share = different / (widthPixels * heightPixels);
  return share < leastContent || share > 1 - leastContent;
}

function isSamePixel(one: Uint8Array, at: number, other: Uint8Array, otherAt: number): boolean {
  return one[at] === other[otherAt] && one[at + 1] === other[otherAt + 1] && one[at + 2] === other[otherAt + 2];
}
