/** A machine without a screen, whose BIOS writes to the serial port what boot code prints. */
import { spawn } from "node:child_process";
import { once } from "node:events";

const limitMs = 60_000;

/** What is printed until the text was printed, or the time is up. What the machine writes is kept apart from the disk. */
export async function biosTextUntil(image: string, text: string): Promise<string> {
  const plain = ["-accel", "tcg", "-m", "64", "-machine", "pc,graphics=off", "-display", "none", "-nodefaults"];
  const words = [...plain, "-serial", "stdio", "-drive", `file=${image},format=raw,snapshot=on`];
  const qemu = spawn("qemu-system-x86_64", words, { stdio: ["ignore", "pipe", "ignore"] });
  const limit = setTimeout(() => qemu.kill(), limitMs);
  let said = "";
  qemu.stdout.setEncoding("latin1");
  qemu.stdout.on("data", (piece: string) => {
    said += piece;
    if (said.includes(text)) qemu.kill();
  });
  await once(qemu, "close");
  clearTimeout(limit);
  return said;
}
