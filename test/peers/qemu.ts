/** Machines in emulation, to see whether disks start. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { temporaryFolder } from "../temp.ts";

type Firmware = "bios" | "text" | "uefi" | "secure" | "arm64";

interface Machine {
  readonly program: string;
  readonly words: readonly string[];
  /** Firmware, and the variables that it begins with. */
  readonly flash?: { readonly code: string; readonly variables: string };
}

const machines: Readonly<Record<Firmware, Machine>> = {
  bios: { program: "qemu-system-x86_64", words: ["-m", "256"] },
  /** Its BIOS writes to the serial port what it would write to the screen. */
  text: { program: "qemu-system-x86_64", words: ["-m", "256", "-machine", "pc,graphics=off"] },
  uefi: {
    program: "qemu-system-x86_64",
    words: ["-m", "256", "-machine", "q35"],
    flash: { code: "/usr/share/OVMF/OVMF_CODE_4M.fd", variables: "/usr/share/OVMF/OVMF_VARS_4M.fd" },
  },
  /** With the keys that machines are sold with, and Secure Boot on. */
  secure: {
    program: "qemu-system-x86_64",
    words: ["-m", "512", "-machine", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"],
    flash: { code: "/usr/share/OVMF/OVMF_CODE_4M.ms.fd", variables: "/usr/share/OVMF/OVMF_VARS_4M.ms.fd" },
  },
  arm64: {
    program: "qemu-system-aarch64",
    words: ["-m", "512", "-machine", "virt", "-cpu", "cortex-a57", "-bios", "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"],
  },
};

const peersOf = ({ program, flash }: Machine): readonly string[] => [program, ...Object.values(flash ?? {})];

/** What tests that start machines need, for `skipWithout`. */
export const machinePeers: Readonly<Record<Firmware, readonly string[]>> = {
  bios: [...peersOf(machines.bios), "/usr/lib/grub/i386-pc/kernel.img"],
  text: peersOf(machines.text),
  uefi: [...peersOf(machines.uefi), "/usr/lib/grub/x86_64-efi/kernel.img"],
  secure: [
    ...peersOf(machines.secure),
    "/usr/lib/shim/shimx64.efi.signed",
    "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
  ],
  arm64: [...peersOf(machines.arm64), "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"],
};

/** A kernel of this machine; a path that does not exist where it has none. */
export function someKernel(): string {
  const names = fs.existsSync("/boot") ? fs.readdirSync("/boot") : [];
  return path.join("/boot", names.find((name) => name.startsWith("vmlinuz-")) ?? "vmlinuz");
}

/**
 * What a machine with a disk prints on its serial port until it has printed the text, or stops. Killed after two
 * minutes. What it writes is kept apart from the disk.
 */
export async function serialUntil(image: string, text: string, firmware: Firmware = "bios"): Promise<string> {
  await using folder = temporaryFolder();
  const { program, words, flash } = machines[firmware];
  const drives = [`file=${image},format=raw,snapshot=on`];
  if (flash !== undefined) {
    fs.copyFileSync(flash.variables, folder.join("vars.fd"));
    const variables = `if=pflash,format=raw,file=${folder.join("vars.fd")}`;
    drives.unshift(`if=pflash,format=raw,readonly=on,file=${flash.code}`, variables);
  }
  const plain = ["-accel", "tcg", "-display", "none", "-nodefaults", "-no-reboot", "-serial", "stdio"];
  const all = [...plain, ...words, ...drives.flatMap((drive) => ["-drive", drive])];
  const qemu = spawn(program, all, { stdio: ["ignore", "pipe", "ignore"] });
  const limit = setTimeout(() => qemu.kill(), 120_000);
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
