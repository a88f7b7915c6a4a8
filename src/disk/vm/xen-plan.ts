import { Failure } from "../../base/index.ts";
import { directCommandLine, withConsole } from "./command-line.ts";
import type { KernelFacts } from "./kernel-facts.ts";
import { requireSomethingToStart, type Machine } from "./machine.ts";

export interface XenWishes {
  /** Absent: what the kernel is built for. */
  readonly type?: XenType;
  /** What starts a machine of the types pv and pvh that keeps its kernel on the disk. */
  readonly bootloader?: "pygrub" | "pvgrub";
}

export type XenType = "pv" | "pvh" | "hvm";

/** How Xen starts a machine. */
export interface XenPlan {
  readonly type: XenType;
  /** Used by pv and pvh without --direct. */
  readonly loader: Loader;
}

type Loader =
  | {
      readonly kind: "pygrub";
      readonly arguments: readonly string[];
      /** What the kernel is told beyond what the menu says. */
      readonly extra: string;
    }
  /** GRUB as a kernel: it reads the disk from inside the machine. */
  | { readonly kind: "pvgrub"; readonly path: string };

/** Where Debian's grub-xen-host has GRUB for Xen. */
const grubPaths = {
  pv: "/usr/lib/grub-xen/grub-x86_64-xen.bin",
  pvh: "/usr/lib/grub-xen/grub-i386-xen_pvh.bin",
} as const;

/** Chooses the type of a machine and what starts it. Throws where that would find nothing. */
export function planXen(machine: Machine, wishes: XenWishes): XenPlan {
  const { disk, direct } = machine;
  const type = wishes.type ?? usualType(machine, wishes);
  const none: Loader = { kind: "pygrub", arguments: [], extra: "" };
  if (type === "hvm") {
    if (wishes.bootloader !== undefined) {
      throw new Failure("usage", `cannot use ${wishes.bootloader} with the type hvm: its firmware starts the disk`);
    }
    requireSomethingToStart(machine);
    return { type, loader: none };
  }
  const { kernel } = disk;
  if (kernel === undefined) {
    throw new Failure(
      "not-found",
      `cannot start "${disk.path}" as ${type}: there is no kernel in /boot that is found`,
      {
        hint: "--type hvm starts what is on the disk as any machine does",
      },
    );
  }
  refuseUnfit(kernel, type);
  if (direct !== undefined) return { type, loader: none };
  return { type, loader: loaderFor(machine, kernel, { type, bootloader: wishes.bootloader }) };
}

/** pvh where the kernel can do it, for it needs no emulated hardware; what is not for Xen, or not read, as hvm. */
function usualType({ disk, direct, firmware }: Machine, { bootloader }: XenWishes): XenType {
  const { kernel } = disk;
  if (kernel === undefined) return "hvm";
  const { pv, pvh } = kernel.xen ?? { pv: true, pvh: true };
  const isUnread = direct === undefined && bootloader === undefined && kernel.pygrub.whyNot !== undefined;
  if ((isUnread && firmware !== undefined) || !(pv || pvh)) return "hvm";
  return pvh ? "pvh" : "pv";
}

function refuseUnfit({ kernel, xen }: KernelFacts, type: "pv" | "pvh"): void {
  if (xen === undefined || xen[type]) return;
  throw new Failure(
    "unsupported",
    `cannot start the kernel ${kernel.version} as ${type}: it is built without CONFIG_XEN_${type.toUpperCase()}`,
    {
      hint: `use --type ${xen.pvh ? "pvh" : xen.pv ? "pv" : "hvm"}`,
    },
  );
}

function loaderFor(
  { disk, append }: Machine,
  facts: KernelFacts,
  { type, bootloader }: { readonly type: "pv" | "pvh"; readonly bootloader: XenWishes["bootloader"] },
): Loader {
  const { whyNot, seesPartition, hasMenu } = facts.pygrub;
  if (bootloader === "pvgrub") {
    if (hasMenu) return { kind: "pvgrub", path: grubPaths[type] };
    throw new Failure("not-found", `cannot start "${disk.path}" by pvgrub: there is no menu in /boot/grub/grub.cfg`, {
      hint: "--direct takes kernel and initrd out",
    });
  }
  if (whyNot !== undefined) {
    throw new Failure("unsupported", `cannot start "${disk.path}" by pygrub: ${whyNot}`, {
      hint: "--direct takes kernel and initrd out, --bootloader pvgrub reads the disk from inside, --type hvm uses its boot code",
    });
  }
  const offset = seesPartition && hasMenu ? [] : [`--offset=${facts.startBytes}`];
  const options = { console: "hvc0", diskDevice: "/dev/xvda", ...(append === undefined ? {} : { append }) };
  if (hasMenu) return { kind: "pygrub", arguments: offset, extra: withConsole([], options).join(" ") };
  const { path, initrd } = facts.kernel;
  const files = [`--kernel=${path}`, ...(initrd === undefined ? [] : [`--ramdisk=${initrd}`])];
  return { kind: "pygrub", arguments: [...offset, ...files], extra: directCommandLine(facts, options) };
}
