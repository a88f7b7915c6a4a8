import { Failure } from "../base/index.ts";
import type { BootEntry } from "./recognise/index.ts";

/** What a kernel is given when it starts. */
export interface KernelParts {
  /** Files of this machine, in the order in which they are loaded. */
  readonly initrds: readonly string[];
  readonly words: readonly string[];
}

/** The words of a command line as kernels divide it: by spaces, but for those between quotes. */
export function kernelWords(line: string): readonly string[] {
  if ((line.split('"').length - 1) % 2 !== 0) {
    throw new Failure("usage", `cannot divide "${line}" into words: a quote is not closed`);
  }
  return Array.from(line.matchAll(/(?:[^\s"]|"[^"]*")+/g), ([word]) => word.replaceAll('"', ""));
}

/** The path of the n-th initrd of a kernel, beside it: they belong together. */
export function initrdPath(kernelPath: string, n: number): string {
  return `${kernelPath}.initrd${n === 0 ? "" : n + 1}`;
}

/** The entries of a kernel, with what it is given. */
export function withParts(
  entries: readonly BootEntry[],
  { initrds, words }: KernelParts,
): { readonly entries: readonly BootEntry[]; readonly warnings: readonly string[] } {
  const paths = initrds.map((_, n) => initrdPath("${isoPath}", n));
  const [first] = entries;
  if (first === undefined) return { entries, warnings: [] };
  // What has an initrd is a system, however small its kernel is.
  if (first.how.kind === "linux" || (first.how.kind === "linux16" && initrds.length > 0)) {
    const how = { kind: "linux", kernel: "${isoPath}", initrds: paths, words } as const;
    const firmwares = first.architecture === "arm64" ? (["uefi"] as const) : (["bios", "uefi"] as const);
    return { entries: [{ ...first, how, firmwares }], warnings: initrds.length > 0 ? [] : [lonely] };
  }
  return {
    entries: entries.map((entry) =>
      entry.how.kind === "linux16" ? { ...entry, how: { ...entry.how, words } } : entry,
    ),
    warnings: [],
  };
}

const lonely = "the kernel has no --initrd: unless one is part of it, it looks for its system on disks of its own";
