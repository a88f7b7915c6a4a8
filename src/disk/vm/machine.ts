import { Failure } from "../../base/index.ts";
import { uuidMaker } from "../making/index.ts";
import type { MachineFirmware, PortForward } from "../machine/index.ts";
import type { DiskFacts } from "./facts.ts";

/** What the user wants of a virtual machine, whatever runs it. */
export interface MachineWishes {
  /** Absent: made from the name of the file. */
  readonly name?: string;
  readonly memoryBytes: number;
  readonly cpuCount: number;
  /** Absent: what the disk is most likely made for. */
  readonly firmware?: MachineFirmware;
  /** UEFI that starts nothing unsigned; the makers' keys are enrolled. */
  readonly secureBoot: boolean;
  readonly network: Network;
  /** Without the help of the processor: slower, but everywhere, and for machines of another kind. */
  readonly emulate: boolean;
  /** Kernel and initrd as files of this machine: the kernel is started, and not what is on the disk. */
  readonly direct?: DirectFiles;
  /** Further words of the kernel's command line. */
  readonly append?: string;
}

export type Network =
  /** What is usual where the machine runs. */
  | { readonly kind: "default" }
  /** Behind the address of the user who runs it; nothing on the machine has to be set up. */
  | { readonly kind: "user"; readonly forwards: readonly PortForward[] }
  | { readonly kind: "bridge"; readonly name: string }
  | { readonly kind: "none" };

/** Absolute paths. */
export interface DirectFiles {
  readonly kernel: string;
  readonly initrd?: string;
}

/** A virtual machine, decided as far as that does not depend on what runs it. */
export interface Machine extends MachineWishes {
  readonly name: string;
  readonly disk: DiskFacts;
  readonly memoryMiB: number;
  /** Undefined where a kernel is started directly. */
  readonly firmware?: MachineFirmware;
  readonly uuid: string;
  /** The three last bytes of its network address, `0a:1b:2c`: the first ones tell what runs it. */
  readonly macTail: string;
}

const mebibyte = 1024 * 1024;

/**
 * Decides a machine for a disk. Its UUID and network address come from the disk's own identifier and the name, so
 * that the same disk always is the same machine. Throws where nothing would start.
 */
export function planMachine(disk: DiskFacts, wishes: MachineWishes & { readonly name: string }): Machine {
  refuseUnwritable(disk, wishes);
  if (wishes.memoryBytes < mebibyte || wishes.memoryBytes % mebibyte !== 0) {
    throw new Failure("usage", `cannot give a machine ${wishes.memoryBytes} bytes of memory: whole MiB are needed`);
  }
  const { firmware: wanted, ...others } = wishes;
  const needed = wishes.secureBoot ? "uefi" : wanted;
  const firmware = wishes.direct === undefined ? firmwareFor(disk, needed) : needed;
  const nextUuid = uuidMaker(`virtual machine ${wishes.name} on ${disk.id}`);
  const uuid = nextUuid();
  const macTail = nextUuid()
    .slice(-6)
    .replace(/(..)(..)(..)/, "$1:$2:$3");
  return {
    ...others,
    disk,
    memoryMiB: wishes.memoryBytes / mebibyte,
    uuid,
    macTail,
    ...(firmware === undefined ? {} : { firmware }),
  };
}

/** Control characters have no place in any of the formats, half a surrogate none in UTF-8, the last two none in XML. */
const unwritable = /[\p{Cc}\p{Cs}\ufffe\uffff]/u;

function refuseUnwritable({ path }: DiskFacts, { append = "", direct }: MachineWishes): void {
  if (unwritable.test(append)) {
    throw new Failure("usage", `cannot give the kernel the words "${append}": they have characters that are no text`);
  }
  for (const one of [path, ...Object.values(direct ?? {})]) {
    if (!unwritable.test(one)) continue;
    throw new Failure(
      "unsupported",
      `cannot write a configuration for "${one}": its path has characters that are no text`,
      {
        hint: "give the file another name, or use a link to it",
      },
    );
  }
}

/** The firmware to use; undefined where nothing says which. Throws where it would not find what it needs. */
function firmwareFor(disk: DiskFacts, wanted: MachineFirmware | undefined): MachineFirmware | undefined {
  const { path, firmwares, architecture } = disk;
  if (wanted === "bios" && architecture !== "x86_64") {
    throw new Failure("unsupported", `cannot start "${path}" by BIOS: what is on it is for ${architecture}`);
  }
  if (firmwares === undefined) return wanted ?? "bios";
  if (wanted === undefined || firmwares.includes(wanted)) return wanted ?? firmwares.at(0);
  throw nothingStarts(disk, wanted);
}

/** Refuses a machine that brings no kernel and whose firmware would find nothing on its disk. */
export function requireSomethingToStart({ disk, firmware, direct }: Machine): void {
  if (firmware === undefined && direct === undefined) throw nothingStarts(disk, undefined);
}

function nothingStarts({ path, kernel, firmwares = [] }: DiskFacts, wanted: MachineFirmware | undefined): Failure {
  const whyNot = {
    bios: "there is no boot code in its first sector",
    uefi: "there is no program for UEFI in an EFI system partition",
  };
  const why = wanted === undefined ? "it has no boot code, neither for BIOS nor for UEFI" : whyNot[wanted];
  const other = `leave --${wanted ?? "bios"} out: it starts by ${firmwares.join(" and ")}`;
  const made = "disk create --boot makes disks that start by themselves";
  const hint = kernel === undefined ? made : `--direct starts the kernel that is in it; ${made}`;
  return new Failure("not-found", `cannot start "${path}": ${why}`, { hint: firmwares.length > 0 ? other : hint });
}
