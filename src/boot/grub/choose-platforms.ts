import { Failure } from "../../base/index.ts";
import type { Architecture } from "../kernel-image.ts";
import type { Kernel } from "../kernels.ts";
import type { EfiPlatform } from "./platform-files.ts";

/** A platform to make a disk start on, and whether it has to. */
export interface WantedPlatform {
  readonly platform: EfiPlatform;
  readonly isNeeded: boolean;
}

/** Throws `unsupported` where BIOS cannot start any of the kernels. */
export function refuseOtherThanPc(kernels: readonly Kernel[]): void {
  if (kernels.length > 0 && kernels.every(({ isUnified }) => isUnified === true)) {
    throw new Failure("unsupported", "cannot make a disk start by BIOS: it has only unified kernel images", {
      hint: "UEFI starts them: --boot uefi",
    });
  }
  const architectures = architecturesOf(kernels);
  if (architectures === undefined || architectures.has("x86_64") || architectures.has("i386")) return;
  const names = [...architectures].join(" and ");
  throw new Failure("unsupported", `cannot make a disk start by BIOS: its kernels are for ${names}, not for PCs`, {
    hint: architectures.has("arm64") ? "arm64 starts by UEFI alone: --boot uefi" : "put a kernel for x86 into /boot",
  });
}

/**
 * The platforms that kernels can be started on. A PC's firmware has 64 bits but for a few that have 32, and either can
 * start kernels of either kind. Where it is not known what the kernels are for, PCs are meant.
 */
export function efiPlatformsFor(kernels: readonly Kernel[]): readonly WantedPlatform[] {
  const architectures = architecturesOf(kernels);
  const isForPc = architectures === undefined || architectures.has("x86_64") || architectures.has("i386");
  const isForArm = architectures?.has("arm64") ?? false;
  if (!isForPc && !isForArm) {
    const names = [...(architectures ?? [])].join(" and ");
    throw new Failure("unsupported", `cannot make a disk start by UEFI: its kernels are for ${names}`, {
      hint: "kernels for x86_64, i386 and arm64 can be started",
    });
  }
  return [
    ...(isForPc ? [{ platform: "x86_64-efi", isNeeded: true } as const] : []),
    ...(isForPc ? [{ platform: "i386-efi", isNeeded: false } as const] : []),
    ...(isForArm || architectures === undefined ? [{ platform: "arm64-efi", isNeeded: isForArm } as const] : []),
  ];
}

/** Undefined where it is not known of all. */
function architecturesOf(kernels: readonly Kernel[]): ReadonlySet<Architecture> | undefined {
  const architectures = new Set<Architecture>();
  for (const { architecture } of kernels) {
    if (architecture === undefined) return undefined;
    architectures.add(architecture);
  }
  return architectures.size === 0 ? undefined : architectures;
}
