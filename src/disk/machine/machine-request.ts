/** What a virtual machine is to have. */
export interface MachineRequest {
  readonly architecture: MachineArchitecture;
  readonly firmware: MachineFirmware;
  /** UEFI that starts nothing unsigned; the makers' keys are enrolled. */
  readonly secureBoot?: boolean;
  /** The first one is what it starts from. */
  readonly disks: readonly MachineDisk[];
  readonly memoryBytes: number;
  readonly cpus: number;
  /** User-mode networking: out as this user, in by these ports of the loopback interface. Absent: none. */
  readonly network?: { readonly forwards: readonly PortForward[] };
  /** Whether its screen has a window. */
  readonly window: boolean;
  /** `terminal`: its serial port is the terminal that this process has. `captured`: it is the machine's `serial`. */
  readonly serial: "terminal" | "captured";
  /** What its firmware tells whoever asks: an OEM string (SMBIOS 3.6 §7.12). */
  readonly firmwareText?: string;
  /** Use the processor's own virtualisation, where it is seen to work. */
  readonly accelerate: boolean;
}

export type MachineArchitecture = "x86_64" | "aarch64";
export type MachineFirmware = "bios" | "uefi";
/** What the disk hangs on; `cd` is a drive for discs. `virtio` needs a driver that any Linux of this century's second decade has. */
export type DiskBus = "virtio" | "ide" | "scsi" | "nvme" | "usb" | "cd";

export interface MachineDisk {
  readonly path: string;
  readonly format: "raw" | "qcow2";
  readonly bus: DiskBus;
  /** Changes are kept apart and forgotten at the end. */
  readonly snapshot: boolean;
}

/** A port of this machine's loopback interface that leads to one of the virtual machine's. */
export interface PortForward {
  readonly hostPort: number;
  readonly guestPort: number;
}
