/** Machines in emulation, to see whether disks start. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { temporaryFolder } from "../temp.ts";

const efiCode = "/usr/share/OVMF/OVMF_CODE_4M.fd";
const efiVariables = "/usr/share/OVMF/OVMF_VARS_4M.fd";
/** With the keys that machines are sold with, and Secure Boot on. */
const secureCode = "/usr/share/OVMF/OVMF_CODE_4M.ms.fd";
const secureVariables = "/usr/share/OVMF/OVMF_VARS_4M.ms.fd";

/** What tests that start machines need, for `skipWithout`. */
export const machinePeers = {
  bios: ["qemu-system-x86_64", "/usr/lib/grub/i386-pc/kernel.img"],
  uefi: ["qemu-system-x86_64", "/usr/lib/grub/x86_64-efi/kernel.img", efiCode, efiVariables],
  secure: [
    "qemu-system-x86_64",
    "/usr/lib/shim/shimx64.efi.signed",
    "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
    secureCode,
    secureVariables,
  ],
} as const;

/** A kernel of this machine; a path that does not exist where it has none. */
export function someKernel(): string {
  const names = fs.existsSync("/boot") ? fs.readdirSync("/boot") : [];
  return path.join("/boot", names.find((name) => name.startsWith("vmlinuz-")) ?? "vmlinuz");
}

/**
 * What a machine with a disk prints on its serial port until it has printed the text, or stops. Killed after two
 * minutes. What it writes is kept apart from the disk.
 */
export async function serialUntil(
  image: string,
  text: string,
  firmware: "bios" | "uefi" | "secure" = "bios",
): Promise<string> {
  await using folder = temporaryFolder();
  const drives = [`file=${image},format=raw,snapshot=on`];
  if (firmware !== "bios") {
    fs.copyFileSync(firmware === "secure" ? secureVariables : efiVariables, folder.join("vars.fd"));
    drives.unshift(
      `if=pflash,format=raw,readonly=on,file=${firmware === "secure" ? secureCode : efiCode}`,
      `if=pflash,format=raw,file=${folder.join("vars.fd")}`,
    );
  }
  const machines = {
    bios: [],
    uefi: ["-machine", "q35"],
    secure: ["-machine", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"],
  } as const;
  const machine = machines[firmware];
  const memory = firmware === "secure" ? "512" : "256";
  const plain = ["-accel", "tcg", "-m", memory, "-display", "none", "-nodefaults", "-no-reboot", "-serial", "stdio"];
  const words = [...plain, ...machine, ...drives.flatMap((drive) => ["-drive", drive])];
  const qemu = spawn("qemu-system-x86_64", words, { stdio: ["ignore", "pipe", "ignore"] });
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
