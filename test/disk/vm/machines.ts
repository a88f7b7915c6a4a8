/** Disks and machines as values, for tests of what is written about them. */
import type { DiskFacts } from "../../../src/disk/vm/facts.ts";
import type { KernelFacts } from "../../../src/disk/vm/kernel-facts.ts";
import { planMachine, type Machine, type MachineWishes } from "../../../src/disk/vm/machine.ts";

export const kernelFacts: KernelFacts = {
  kernel: {
    version: "6.1.0-57-amd64",
    path: "/boot/vmlinuz-6.1.0-57-amd64",
    initrd: "/boot/initrd.img-6.1.0-57-amd64",
    commandLine: "root=UUID=8dbf618f-d1e4-4883-a102-868a3ac7f815 ro quiet",
  },
  architecture: "x86_64",
  partition: 1,
  startBytes: 1024 * 1024,
  rootUuid: "8dbf618f-d1e4-4883-a102-868a3ac7f815",
  partUuid: "1234abcd-01",
  xen: { pv: true, pvh: true },
  pygrub: { seesPartition: true, hasMenu: true },
};

/** A disk that starts both ways, with a kernel in it. */
export const diskFacts: DiskFacts = {
  path: "/srv/disks/big.img",
  isBlockDevice: false,
  format: "raw",
  firmwares: ["bios", "uefi"],
  architecture: "x86_64",
  id: "0x1234abcd",
  isLinux: true,
  kernel: kernelFacts,
};

/** A disk that starts something which is not Linux. */
export const windowsFacts: DiskFacts = {
  path: diskFacts.path,
  isBlockDevice: false,
  format: "raw",
  firmwares: ["bios"],
  architecture: "x86_64",
  id: "0x1234abcd",
  isLinux: false,
};

export const direct = { kernel: "/srv/disks/big.img.vmlinuz", initrd: "/srv/disks/big.img.initrd" };

export function machineOf(disk: DiskFacts, wishes: Partial<MachineWishes> = {}): Machine {
  const usual = {
    name: "big",
    memoryBytes: 2 ** 30,
    cpuCount: 2,
    network: { kind: "default" },
    emulate: false,
    secureBoot: false,
  } as const;
  return planMachine(disk, { ...usual, ...wishes });
}
