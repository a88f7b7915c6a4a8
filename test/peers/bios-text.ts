/** A machine without a screen, whose BIOS writes to the serial port what boot code prints. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { SerialText } from "../../src/disk/machine/index.ts";

const limitMs = 300_000;

/**
 * What can be seen of what is printed until the text was printed, or the time is up: the BIOS moves the cursor in the
 * middle of words when it is slow. What the machine writes is kept apart from the disk.
 */
export async function biosTextUntil(image: string, text: string): Promise<string> {
  const plain = ["-accel", "tcg", "-m", "64", "-machine", "pc,graphics=off", "-display", "none", "-nodefaults"];
  const words = [...plain, "-serial", "stdio", "-drive", `file=${image},format=raw,snapshot=on`];
  const qemu = spawn("qemu-system-x86_64", words, { stdio: ["ignore", "pipe", "ignore"] });
  const limit = setTimeout(() => qemu.kill(), limitMs);
  const seen = new SerialText();
  let said = "";
  qemu.stdout.on("data", (piece: Buffer) => {
    said += seen.add(piece);
    if (seen.has(text)) qemu.kill();
  });
  await once(qemu, "close");
  clearTimeout(limit);
  return said;
}
