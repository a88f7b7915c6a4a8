import * as fs from "node:fs";
import type { TemporaryFolder } from "../temp.ts";
import { runPeer } from "./peer.ts";

export const efiStub = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";

/** Where sections are put in memory: behind those of the stub, with room between. */
const addresses = { osrel: 0x20000, cmdline: 0x30000, uname: 0x40000, linux: 0x2000000, initrd: 0x5000000 };

/** A unified kernel image of systemd's stub, as its manual makes one. */
export function makeUnifiedKernel(
  target: string,
  folder: TemporaryFolder,
  parts: Readonly<Partial<Record<keyof typeof addresses, string | Uint8Array>>>,
): void {
  const words = Object.entries(parts).flatMap(([name, content]) => {
    fs.writeFileSync(folder.join(name), content);
    const address = addresses[name as keyof typeof addresses];
    return [`--add-section=.${name}=${folder.join(name)}`, `--change-section-vma=.${name}=${address}`];
  });
  runPeer("objcopy", [...words, efiStub, target]);
}
