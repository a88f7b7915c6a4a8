import { Failure } from "../../base/index.ts";

/** What a machine's screen shows. */
export interface Screen {
  readonly widthPixels: number;
  readonly heightPixels: number;
  /** Red, green, blue of each pixel, row by row. */
  readonly pixels: Uint8Array;
  /** The rows of a screen that shows characters only, as BIOSes and what they start do. */
  readonly rows?: readonly string[];
}

/** Where a PC keeps what its screen of characters shows, and how much that is: 25 rows of 80, each with its colours. */
export const characterMemory = { at: 0xb8000, lengthBytes: 80 * 25 * 2 };
/** How large such a screen is drawn. */
const characterPixels = { width: 720, height: 400 };
const largestSide = 16_384;

/** Reads a picture in the format in which QEMU draws it: PPM of 8 bits (netpbm's ppm(5), P6). */
export function readPicture(bytes: Uint8Array): Screen {
  const head = Buffer.from(bytes.subarray(0, 64)).toString("latin1");
  const [whole = "", widthText, heightText] = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(head) ?? [];
  const [widthPixels, heightPixels] = [Number(widthText), Number(heightText)];
  const pixels = bytes.subarray(whole.length);
  if (whole === "" || widthPixels > largestSide || heightPixels > largestSide) throw unreadable();
  if (pixels.length < widthPixels * heightPixels * 3) throw unreadable();
  return { widthPixels, heightPixels, pixels };
}

/** A picture of a screen with, where that is one of characters, what it says. */
export function withCharacters(screen: Screen, memory: Uint8Array): Screen {
  const { width, height } = characterPixels;
  if (screen.widthPixels !== width || screen.heightPixels !== height) return screen;
  const characters = Buffer.from(memory.filter((_, at) => at % 2 === 0))
    .toString("latin1")
    .replaceAll(/[^ -~]/g, " ");
  return { ...screen, rows: (characters.match(/.{80}/g) ?? []).map((row) => row.trimEnd()) };
}

function unreadable(): Failure {
  return new Failure("failed", "cannot look at the machine's screen: QEMU has drawn none that this program reads");
}
