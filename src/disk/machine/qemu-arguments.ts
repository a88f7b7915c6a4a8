import type { UefiFirmware } from "./firmware.ts";
import type { DiskBus, MachineArchitecture, MachineDisk, MachineRequest } from "./machine-request.ts";

/** What a request needs of this machine. */
export interface QemuFacts {
  /** Absent for emulation. */
  readonly accelerator?: string;
  readonly uefi?: UefiFirmware;
  /** A copy of the firmware's variables, which it may write to. */
  readonly variablesPath?: string;
  /** The number of the open file through which the machine is told what to do. */
  readonly controlFd: number;
}

/** The program that is a machine of an architecture. */
export const qemuProgram = (architecture: MachineArchitecture): string => `qemu-system-${architecture}`;

/** How QEMU is told of a machine (qemu-system(1)). */
export function qemuArguments(request: MachineRequest, facts: QemuFacts): readonly string[] {
  return [
    "-nodefaults",
    "-no-user-config",
    ...machine(request, facts),
    "-m",
    String(Math.ceil(request.memoryBytes / 2 ** 20)),
    "-smp",
    String(request.cpus),
    ...firmware(request, facts),
    ...screen(request),
    ...serial(request),
    ...firmwareText(request),
    "-chardev",
    `socket,id=control,fd=${facts.controlFd}`,
    "-mon",
    "chardev=control,mode=control",
    "-device",
    "virtio-rng-pci",
    ...network(request),
    ...request.disks.flatMap(disk),
  ];
}

function machine({ architecture, firmware: kind }: MachineRequest, { accelerator, uefi }: QemuFacts): string[] {
  const smm = uefi?.needsSmm === true ? ",smm=on" : "";
  const model = architecture === "aarch64" ? "virt" : kind === "uefi" ? `q35${smm}` : "pc";
  // Emulated, `max` would have five levels of page tables, each of which costs time.
  const emulated = architecture === "aarch64" ? "cortex-a72" : "max,la57=off";
  const accel = accelerator === undefined ? ["tcg,thread=multi", emulated] : [accelerator, "host"];
  return ["-machine", model, "-accel", accel[0] ?? "", "-cpu", accel[1] ?? ""];
}

function firmware({ secureBoot = false }: MachineRequest, { uefi, variablesPath }: QemuFacts): string[] {
  if (uefi === undefined || variablesPath === undefined) return [];
  const flash = "if=pflash,format=raw";
  return [
    "-drive",
    `${flash},unit=0,readonly=on,file=${quoted(uefi.codePath)}`,
    "-drive",
    `${flash},unit=1,file=${quoted(variablesPath)}`,
    ...(secureBoot && uefi.needsSmm ? ["-global", "driver=cfi.pflash01,property=secure,value=on"] : []),
  ];
}

function screen({ architecture, window }: MachineRequest): string[] {
  const display = window ? [] : ["-display", "none"];
  if (architecture === "aarch64") return [...display, "-device", "virtio-gpu-pci", "-device", "qemu-xhci,id=usb"];
  return [...display, "-vga", "std", "-device", "qemu-xhci,id=usb", "-device", "usb-tablet,bus=usb.0"];
}

function serial({ serial: kind }: MachineRequest): string[] {
  // Ctrl-A X ends it and Ctrl-A C asks it, as users of QEMU know.
  if (kind === "terminal") return ["-serial", "mon:stdio"];
  return ["-chardev", "stdio,id=serial,signal=off", "-serial", "chardev:serial"];
}

function firmwareText({ firmwareText: text }: MachineRequest): string[] {
  return text === undefined ? [] : ["-smbios", `type=11,value=${quoted(text)}`];
}

function network({ network: wanted }: MachineRequest): string[] {
  if (wanted === undefined) return ["-nic", "none"];
  const forwards = wanted.forwards.map(({ hostPort, guestPort }) => `,hostfwd=tcp:127.0.0.1:${hostPort}-:${guestPort}`);
  return ["-nic", `user,model=virtio-net-pci${forwards.join("")}`];
}

const devices: Readonly<Record<DiskBus, (id: string) => readonly string[]>> = {
  virtio: (id) => [`virtio-blk-pci,drive=${id}`],
  ide: (id) => [`ide-hd,drive=${id}`],
  scsi: (id) => [`virtio-scsi-pci,id=scsi-${id}`, `scsi-hd,bus=scsi-${id}.0,drive=${id}`],
  nvme: (id) => [`nvme,serial=${id},drive=${id}`],
  usb: (id) => [`usb-storage,bus=usb.0,removable=on,drive=${id}`],
  cd: (id) => [`virtio-scsi-pci,id=scsi-${id}`, `scsi-cd,bus=scsi-${id}.0,drive=${id}`],
};

function disk({ path, format, bus, snapshot }: MachineDisk, index: number): string[] {
  const id = `disk${index}`;
  // What is forgotten at the end needs no flush either.
  const keeping =
    bus === "cd"
      ? ",media=cdrom,readonly=on"
      : snapshot
        ? ",snapshot=on,cache=unsafe"
        : ",discard=unmap,detect-zeroes=unmap";
  const device = devices[bus](id).toSpliced(-1, 1, `${devices[bus](id).at(-1) ?? ""},bootindex=${index}`);
  return [
    "-drive",
    `if=none,id=${id},format=${format},file=${quoted(path)}${keeping}`,
    ...device.flatMap((words) => ["-device", words]),
  ];
}

/** A value in one of QEMU's lists of options: a comma is written twice. */
function quoted(value: string): string {
  return value.replaceAll(",", ",,");
}
