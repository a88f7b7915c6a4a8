import { shellWord } from "../../bytes/index.ts";
import { consoleOf, directCommandLine, serialWarnings } from "./command-line.ts";
import { firmwareSearch } from "./qemu-firmware.ts";
import { optionValue } from "./qemu-option.ts";
import { requireSomethingToStart, type Machine } from "./machine.ts";
import type { Target } from "./target.ts";

/** A shell script that starts a machine in QEMU, its serial console in the terminal. */
export const qemu: Target = {
  title: "QEMU",
  name: { pattern: /^[A-Za-z0-9][\w.+-]*$/, words: "letters, digits, _, ., + and -", filler: "-" },
  isScript: true,
  configure: (machine) => ({
    text: scriptFor(machine),
    usesFirmware: true,
    warnings: serialWarnings(machine, consoleOf(machine)),
  }),
  nextSteps: (_, file) => [shellWord(file.includes("/") ? file : `./${file}`)],
};

function scriptFor(machine: Machine): string {
  requireSomethingToStart(machine);
  const isX86 = machine.disk.architecture === "x86_64";
  const lines = [
    "#!/bin/sh",
    `# Starts the virtual machine "${machine.name}" in QEMU. Words given to this script go to QEMU: -snapshot keeps the disk.`,
    "# This terminal is its serial console: Ctrl-A X ends it, Ctrl-A C is QEMU's monitor.",
    "# ACCEL=tcg does without the processor's help, ACCEL=hvf is for macOS; QEMU=… runs another QEMU.",
    "set -eu",
    `accel=\${ACCEL-${machine.emulate ? "tcg" : "kvm:tcg"}}`,
    `qemu=\${QEMU-qemu-system-${machine.disk.architecture}}`,
    "",
    ...(machine.firmware === "uefi" ? firmwareSearch(machine.disk, machine) : []),
    ...(isX86 ? windowLines : ['set -- -display none "$@"', ""]),
    ['exec "$qemu"', ...words(machine), '"$@"'].join(" \\\n  "),
    "",
  ];
  return lines.join("\n");
}

const windowLines = [
  "# A window too, where there is a desktop.",
  'if [ -z "${DISPLAY-}${WAYLAND_DISPLAY-}" ] && [ "$(uname)" != Darwin ]; then set -- -display none "$@"; fi',
  "",
];

/** QEMU's options, each with its value, as words of the shell. */
function words(machine: Machine): readonly string[] {
  const { name, disk, cpuCount, memoryMiB, uuid, secureBoot } = machine;
  const isX86 = disk.architecture === "x86_64";
  // Without system management mode, firmware does not keep its keys from the system.
  const kind = isX86 ? (secureBoot ? "q35,smm=on" : "q35") : "virt";
  const keys = isX86 && secureBoot ? ["-global driver=cfi.pflash01,property=secure,value=on"] : [];
  const drive = `if=none,id=disk0,format=${disk.format},discard=unmap,file=${optionValue(disk.path)}`;
  return [
    `-name ${shellWord(`guest=${optionValue(name)}`)} -uuid ${uuid}`,
    `-machine ${kind},accel="$accel" -cpu ${isX86 ? "max,la57=off" : "max"} -smp ${cpuCount} -m ${memoryMiB}`,
    ...(machine.firmware === "uefi" ? ['-drive "$code" -drive "$settings"'] : []),
    ...keys,
    `-drive ${shellWord(drive)}`,
    `-device ${disk.isLinux ? "virtio-blk-pci" : "ide-hd"},drive=disk0,bootindex=1`,
    networkWords(machine),
    "-device virtio-rng-pci",
    "-serial mon:stdio",
    ...directWords(machine),
  ];
}

function networkWords({ network, disk, macTail }: Machine): string {
  if (network.kind === "none") return "-nic none";
  const forwards = network.kind === "user" ? network.forwards : [];
  const user = ["user", ...forwards.map((one) => `hostfwd=tcp:127.0.0.1:${one.hostPort}-:${one.guestPort}`)].join(",");
  const backend = network.kind === "bridge" ? `bridge,br=${network.name}` : user;
  return `-nic ${backend},model=${disk.isLinux ? "virtio-net-pci" : "e1000"},mac=52:54:00:${macTail}`;
}

function directWords(machine: Machine): readonly string[] {
  const { direct, disk, append } = machine;
  if (direct === undefined || disk.kernel === undefined) return [];
  const commandLine = directCommandLine(disk.kernel, {
    console: consoleOf(machine),
    diskDevice: "/dev/vda",
    ...(append === undefined ? {} : { append }),
  });
  return [
    `-kernel ${shellWord(direct.kernel)}`,
    ...(direct.initrd === undefined ? [] : [`-initrd ${shellWord(direct.initrd)}`]),
    `-append ${shellWord(commandLine)}`,
  ];
}
