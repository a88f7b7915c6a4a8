import { shellWord } from "../../bytes/index.ts";
import type { MachineArchitecture } from "../machine/index.ts";
import type { DiskFacts } from "./facts.ts";

import { optionValue } from "./qemu-option.ts";

/** UEFI firmware for QEMU: the program, and its settings as they are at first. */
type Firmware = readonly [code: string, settings: string];

/** Where distributions have it. */
const firmwareFiles: Readonly<Record<MachineArchitecture, readonly Firmware[]>> = {
  x86_64: [
    ["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"], // Debian, Ubuntu
    ["/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"],
    ["/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"], // Fedora
    ["/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"], // Arch
    ["/usr/share/edk2-ovmf/OVMF_CODE.fd", "/usr/share/edk2-ovmf/OVMF_VARS.fd"], // Gentoo
    ["/usr/share/qemu/ovmf-x86_64-4m-code.bin", "/usr/share/qemu/ovmf-x86_64-4m-vars.bin"], // openSUSE
    ["/usr/share/qemu/edk2-x86_64-code.fd", "/usr/share/qemu/edk2-i386-vars.fd"], // QEMU's own
    ["/usr/local/share/qemu/edk2-x86_64-code.fd", "/usr/local/share/qemu/edk2-i386-vars.fd"],
    ["/opt/homebrew/share/qemu/edk2-x86_64-code.fd", "/opt/homebrew/share/qemu/edk2-i386-vars.fd"],
  ],
  aarch64: [
    ["/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"], // Debian, Ubuntu, Fedora
    ["/usr/share/edk2/aarch64/QEMU_CODE.fd", "/usr/share/edk2/aarch64/QEMU_VARS.fd"], // Arch
    ["/usr/share/qemu/edk2-aarch64-code.fd", "/usr/share/qemu/edk2-arm-vars.fd"], // QEMU's own
    ["/usr/local/share/qemu/edk2-aarch64-code.fd", "/usr/local/share/qemu/edk2-arm-vars.fd"],
    ["/opt/homebrew/share/qemu/edk2-aarch64-code.fd", "/opt/homebrew/share/qemu/edk2-arm-vars.fd"],
  ],
};
/** The same with Secure Boot and the makers' keys. */
const secureFiles: Readonly<Record<MachineArchitecture, readonly Firmware[]>> = {
  x86_64: [
    ["/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"], // Debian, Ubuntu
    ["/usr/share/OVMF/OVMF_CODE.ms.fd", "/usr/share/OVMF/OVMF_VARS.ms.fd"],
    ["/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", "/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd"], // Fedora
    ["/usr/share/qemu/ovmf-x86_64-smm-ms-code.bin", "/usr/share/qemu/ovmf-x86_64-smm-ms-vars.bin"], // openSUSE
  ],
  aarch64: [["/usr/share/AAVMF/AAVMF_CODE.ms.fd", "/usr/share/AAVMF/AAVMF_VARS.ms.fd"]],
};
const packages: Readonly<Record<MachineArchitecture, string>> = {
  x86_64: "ovmf on Debian, edk2-ovmf on Fedora and Arch",
  aarch64: "qemu-efi-aarch64 on Debian, edk2-aarch64 on Fedora and Arch",
};

/**
 * Lines of a shell script that find the firmware where the script runs, and put its settings beside the disk on the
 * first start. They leave drives in `$code` and `$settings`.
 */
export function firmwareSearch(
  { path, architecture }: DiskFacts,
  { secureBoot }: { readonly secureBoot: boolean },
): readonly string[] {
  const settings = `${path}.${secureBoot ? "secure." : ""}efivars`;
  const files = (secureBoot ? secureFiles : firmwareFiles)[architecture];
  const kind = secureBoot ? "UEFI firmware with Secure Boot" : "UEFI firmware";
  return [
    "# The firmware; what it remembers is kept beside the disk.",
    "code=${OVMF_CODE-} template=${OVMF_VARS-}",
    `settings=${shellWord(settings)}`,
    "for pair in \\",
    ...files.map((pair) => `  ${pair.join(":")} \\`),
    "; do",
    '  if [ -z "$code" ] && [ -e "${pair%%:*}" ] && [ -e "${pair#*:}" ]; then code=${pair%%:*} template=${pair#*:}; fi',
    "done",
    'if [ ! -e "$code" ] || { [ ! -e "$settings" ] && [ ! -e "$template" ]; }; then',
    `  echo "no ${kind} is found here: install it (${packages[architecture]}) or set OVMF_CODE and OVMF_VARS" >&2`,
    "  exit 1",
    "fi",
    'if [ ! -e "$settings" ]; then cp "$template" "$settings.part" && mv "$settings.part" "$settings"; fi',
    'code="if=pflash,unit=0,format=raw,readonly=on,file=$code"',
    `settings=${shellWord(`if=pflash,unit=1,format=raw,file=${optionValue(settings)}`)}`,
    "",
  ];
}
