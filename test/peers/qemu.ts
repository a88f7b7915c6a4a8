/** Machines in emulation, to see whether disks start. */
import * as fs from "node:fs";
import * as path from "node:path";
import { SerialText, startMachine, type MachineRequest } from "../../src/disk/machine/index.ts";

type Firmware = "bios" | "uefi" | "secure" | "arm64";

/** `secure`: with the keys that machines are sold with, and Secure Boot on. */
const machines: Readonly<Record<Firmware, Pick<MachineRequest, "architecture" | "firmware" | "secureBoot">>> = {
  bios: { architecture: "x86_64", firmware: "bios" },
  uefi: { architecture: "x86_64", firmware: "uefi" },
  secure: { architecture: "x86_64", firmware: "uefi", secureBoot: true },
  arm64: { architecture: "aarch64", firmware: "uefi" },
};

/** What tests that start machines need, for `skipWithout`. */
export const machinePeers: Readonly<Record<Firmware, readonly string[]>> = {
  bios: ["qemu-system-x86_64", "/usr/lib/grub/i386-pc/kernel.img"],
  uefi: ["qemu-system-x86_64", "/usr/lib/grub/x86_64-efi/kernel.img", "/usr/share/OVMF/OVMF_CODE_4M.fd"],
  secure: [
    "qemu-system-x86_64",
    "/usr/share/OVMF/OVMF_CODE_4M.ms.fd",
    "/usr/lib/shim/shimx64.efi.signed",
    "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
  ],
  arm64: ["qemu-system-aarch64", "/usr/share/AAVMF/AAVMF_CODE.fd"],
};

/** A kernel of this machine; a path that does not exist where it has none. */
export function someKernel(): string {
  const names = fs.existsSync("/boot") ? fs.readdirSync("/boot") : [];
  return path.join("/boot", names.find((name) => name.startsWith("vmlinuz-")) ?? "vmlinuz");
}

const limitMs = 300_000;

/**
 * What a machine with a disk prints on its serial port until it has printed the text, or stops. Switched off after five
 * minutes. What it writes is kept apart from the disk.
 */
export async function serialUntil(image: string, text: string, firmware: Firmware = "bios"): Promise<string> {
  const kind = machines[firmware];
  const bus = kind.architecture === "aarch64" ? "virtio" : "ide";
  const disk = { path: image, format: "raw", bus, snapshot: true } as const;
  const common = { cpus: 1, window: false, serial: "captured", accelerate: false, memoryBytes: 512 * 2 ** 20 } as const;
  const request = { ...common, ...kind, disks: [disk] };
  await using machine = await startMachine(request, process.env);
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
