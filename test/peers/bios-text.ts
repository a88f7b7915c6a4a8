/** A machine without a screen, whose BIOS writes to the serial port what boot code prints. */
import { shownBy } from "./shown-by.ts";

const limitMs = 60_000;

/** What is printed until the text was printed, or the time is up. What the machine writes is kept apart from the disk. */
export async function biosTextUntil(image: string, text: string): Promise<string> {
  const plain = ["-accel", "tcg", "-m", "64", "-machine", "pc,graphics=off", "-display", "none", "-nodefaults"];
  const words = [...plain, "-serial", "stdio", "-drive", `file=${image},format=raw,snapshot=on`];
  return shownBy("qemu-system-x86_64", words, { until: text, limitMs });
}
