/** Machines in emulation, to see whether disks start. */
import * as fs from "node:fs";
import * as path from "node:path";
import { SerialText, startQemu } from "../../src/disk/machine/index.ts";

/** What tests that start machines need, for `skipWithout`. */
export const machinePeers = {
  bios: ["qemu-system-x86_64", "/usr/lib/grub/i386-pc/kernel.img"],
  uefi: ["qemu-system-x86_64", "/usr/lib/grub/x86_64-efi/kernel.img", "/usr/share/OVMF/OVMF_CODE_4M.fd"],
} as const;

/** A kernel of this machine; a path that does not exist where it has none. */
export function someKernel(): string {
  const names = fs.existsSync("/boot") ? fs.readdirSync("/boot") : [];
  return path.join("/boot", names.find((name) => name.startsWith("vmlinuz-")) ?? "vmlinuz");
}

const limitMs = 120_000;

/**
 * What a machine with a disk prints on its serial port until it has printed the text, or stops. Switched off after two
 * minutes. What it writes is kept apart from the disk.
 */
export async function serialUntil(image: string, text: string, firmware: "bios" | "uefi" = "bios"): Promise<string> {
  const disk = { path: image, format: "raw", bus: "ide", snapshot: true } as const;
  const common = { architecture: "x86_64", cpus: 1, window: false, serial: "captured", accelerate: false } as const;
  const request = { ...common, firmware, disks: [disk], memoryBytes: 256 * 2 ** 20 };
  await using machine = await startQemu(request, process.env);
  const seen = new SerialText();
  const limit = setTimeout(() => void machine[Symbol.asyncDispose](), limitMs);
  let said = "";
  for await (const bytes of machine.serial) {
    said += Buffer.from(bytes).toString("latin1");
    seen.add(bytes);
    if (seen.has(text)) break;
  }
  clearTimeout(limit);
  return said;
}
