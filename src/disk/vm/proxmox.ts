import { Failure } from "../../base/index.ts";
import { shellWord } from "../../bytes/index.ts";
import { directCommandLine, serialWarnings } from "./command-line.ts";
import { requireSomethingToStart, type Machine } from "./machine.ts";
import type { Target } from "./target.ts";

const dnsLabel = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const usualBridge = "vmbr0";

/**
 * A shell script for the Proxmox host. Disks live in a storage there, under names that Proxmox gives, so that it is a
 * script which imports the disk, and not a file for /etc/pve.
 */
export const proxmox: Target = {
  title: "Proxmox",
  name: { pattern: new RegExp(String.raw`^${dnsLabel}(?:\.${dnsLabel})*$`), words: "a host name", filler: "-" },
  isScript: true,
  configure: (machine) => ({
    text: scriptFor(machine),
    usesFirmware: true,
    warnings: serialWarnings(machine, "ttyS0"),
  }),
  nextSteps: (_, file) => [`sh ${shellWord(file)} [VMID [STORAGE [DISK]]]  # as root, on the Proxmox host`],
};

function scriptFor(machine: Machine): string {
  refuseForeign(machine);
  requireSomethingToStart(machine);
  const { name, disk } = machine;
  const options = Array.from(optionsFor(machine), ([key, value]) => `--${key} ${shellWord(value)}`);
  const efi =
    machine.firmware === "uefi"
      ? [`--efidisk0 "$storage:1,efitype=4m,pre-enrolled-keys=${machine.secureBoot ? 1 : 0}"`]
      : [];
  const lines = [
    "#!/bin/sh",
    `# Makes the virtual machine "${name}" on a Proxmox host, with its disk. Run it there as root:`,
    "#   sh FILE [VMID [STORAGE [DISK]]]      else the next free number, local-lvm, and the disk where it was made",
    "# Then: qm start VMID, qm terminal VMID (Ctrl-O leaves).",
    "set -eu",
    `disk=${shellWord(disk.path)}`,
    "if [ $# -ge 3 ]; then disk=$3; fi",
    "vmid=${1:-$(pvesh get /cluster/nextid)}",
    "storage=${2:-local-lvm}",
    'if [ ! -r "$disk" ]; then echo "the disk is not here: $disk" >&2; exit 1; fi',
    "",
    ['qm create "$vmid"', ...options, ...efi].join(" \\\n  "),
    "# From here on a machine without its disk would be left behind.",
    `trap 'qm destroy "$vmid"' EXIT`,
    ...attachDisk(disk),
    "trap - EXIT",
    'echo "made machine $vmid: qm start $vmid; qm terminal $vmid"',
    "",
  ];
  return lines.join("\n");
}

/** A file is imported into the storage, which gives it a name; a device is used where it is. */
function attachDisk({ isLinux, isBlockDevice }: Machine["disk"]): readonly string[] {
  const bus = isLinux ? "scsi0" : "sata0";
  const fromStorage = [
    'qm importdisk "$vmid" "$disk" "$storage"',
    "volume=$(qm config \"$vmid\" | sed -n 's/^unused0: //p')",
  ];
  return [
    ...(isBlockDevice ? ["volume=$disk"] : fromStorage),
    `qm set "$vmid" --${bus} "$volume,discard=on${isLinux ? ",iothread=1" : ""}" --boot order=${bus}`,
  ];
}

function refuseForeign({ disk }: Machine): void {
  if (disk.isBlockDevice && disk.path.includes(",")) {
    throw new Failure("unsupported", `cannot use "${disk.path}" with Proxmox: its name has a comma`);
  }
  if (disk.architecture === "x86_64") return;
  throw new Failure("unsupported", `cannot use "${disk.path}" with Proxmox: what is on it is for ${disk.architecture}`);
}

/** Options of qm(1) with their values, but for the disks. */
function optionsFor(machine: Machine): ReadonlyMap<string, string> {
  const { disk, network, direct, append } = machine;
  const options = new Map([
    ["name", machine.name],
    ["ostype", disk.isLinux ? "l26" : "other"],
    ["machine", "q35"],
    ["bios", machine.firmware === "uefi" ? "ovmf" : "seabios"],
    ["memory", String(machine.memoryMiB)],
    ["cores", String(machine.cpuCount)],
    ["smbios1", `uuid=${machine.uuid}`],
    ["serial0", "socket"],
    ["rng0", "source=/dev/urandom"],
  ]);
  if (disk.isLinux) options.set("scsihw", "virtio-scsi-single").set("agent", "1");
  if (machine.emulate) options.set("kvm", "0");
  if (network.kind === "user") {
    throw new Failure("usage", "cannot give a machine of Proxmox the network of its user: it has bridges", {
      hint: `leave --user-network out for ${usualBridge}, or give --bridge`,
    });
  }
  if (network.kind !== "none") {
    const bridge = network.kind === "bridge" ? network.name : usualBridge;
    options.set(
      "net0",
      `${disk.isLinux ? "virtio" : "e1000"}=BC:24:11:${machine.macTail.toUpperCase()},bridge=${bridge}`,
    );
  }
  if (direct !== undefined && disk.kernel !== undefined) {
    const commandLine = directCommandLine(disk.kernel, {
      console: "ttyS0",
      diskDevice: "/dev/sda",
      ...(append === undefined ? {} : { append }),
    });
    const initrd = direct.initrd === undefined ? [] : ["-initrd", direct.initrd];
    options.set("args", ["-kernel", direct.kernel, ...initrd, "-append", commandLine].map(argumentWord).join(" "));
  }
  return options;
}

/** A word of `args`, which Proxmox divides by Perl's Text::ParseWords: a backslash has a meaning in quotes there. */
function argumentWord(word: string): string {
  return word.replaceAll(/[^\w@%+=:,./-]/gu, String.raw`\$&`);
}
