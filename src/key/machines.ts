import type { BootEntry, Firmware, StartMethod } from "./recognise/index.ts";

/** The machines that a menu can be shown on, in GRUB's words. */
const machines = [
  { platform: "pc", cpu: "i386" },
  { platform: "efi", cpu: "x86_64" },
  { platform: "efi", cpu: "i386" },
  { platform: "efi", cpu: "arm64" },
] as const;
type Machine = (typeof machines)[number];

/** What of an entry decides where it can be started. */
export type Startable = Pick<BootEntry, "firmwares" | "architecture"> & { readonly kind: StartMethod["kind"] };

/** What is true on machines that can start an entry, for `if`; undefined where that is on all. */
export function conditionOf(entry: Startable): string | undefined {
  const fitting = machines.filter((machine) => fits(entry, machine));
  if (fitting.length === machines.length) return undefined;
  const [{ platform, cpu } = machines[0], ...others] = fitting;
  if (fitting.length === 0) return "false";
  const onPlatform = `"$grub_platform" = "${platform}"`;
  if (others.length === 0)
    return platform === "pc" ? `[ ${onPlatform} ]` : `[ ${onPlatform} -a "$grub_cpu" = "${cpu}" ]`;
  // Several of them are the PCs, with BIOS or without.
  return platform === "pc" ? '[ "$grub_cpu" != "arm64" ]' : `[ ${onPlatform} -a "$grub_cpu" != "arm64" ]`;
}

/** The numbers, from 1, of the entries that the usual PC with a firmware shows. */
export function entriesFor(firmware: Firmware, entries: readonly Startable[]): readonly number[] {
  const [byBios, byUefi] = machines;
  const machine = firmware === "bios" ? byBios : byUefi;
  const numbers = entries.flatMap((entry, at) => (fits(entry, machine) ? [at + 1] : []));
  return isSubmenu(entries) ? numbers : numbers.slice(0, 1);
}

/** Whether some machine can choose among entries; else each sees one of them, or none. */
export function isSubmenu(entries: readonly Startable[]): boolean {
  return choiceCount(entries) > 1;
}

/** Among how many entries the machine that can start most of them lets choose. */
export function choiceCount(entries: readonly Startable[]): number {
  return Math.max(...machines.map((machine) => entries.filter((entry) => fits(entry, machine)).length));
}

function fits({ firmwares, architecture, kind }: Startable, { platform, cpu }: Machine): boolean {
  if (!firmwares.includes(platform === "pc" ? "bios" : "uefi")) return false;
  if (kind === "memdisk") return platform === "pc";
  // A program is for one kind of firmware; kernels of a PC start on any PC.
  if (kind === "efi") return platform === "efi" && cpu === architecture;
  return (cpu === "arm64") === (architecture === "arm64");
}
