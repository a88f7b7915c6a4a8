import type { FileSystem } from "../filesystem/index.ts";
import { architectureOf, type Architecture } from "./kernel-image.ts";
import { peHeaderLimitBytes, readPe, type PeSection } from "./pe-file.ts";
import { readParts } from "./read-parts.ts";

/** A program for UEFI that has a kernel, its initrd and its command line in it (UAPI.5). */
export interface UnifiedKernel {
  readonly architecture: Architecture | undefined;
  /** As `uname -r` will print it; empty where it is not told. */
  readonly version: string;
  readonly commandLine: string;
  /** The system that it belongs to, from its `os-release`; empty where it is not told. */
  readonly systemName: string;
}

const textSections = [".uname", ".cmdline", ".osrel"] as const;
const textLimitBytes = 64 * 1024;

/** Reads what a unified kernel image says of itself; `none` where a file is none. */
export async function readUnifiedKernel(fileSystem: FileSystem, id: number): Promise<UnifiedKernel | "none"> {
  const [start] = await readParts(fileSystem, id, [{ at: 0, lengthBytes: peHeaderLimitBytes }]);
  const pe = start === undefined ? undefined : readPe(start);
  const { sizeBytes } = await fileSystem.stat(id);
  const sectionNamed = (name: string): PeSection | undefined => {
    const section = pe?.sections.find((one) => one.name === name);
    return section !== undefined && section.offset + section.usedBytes <= sizeBytes ? section : undefined;
  };
  if (start === undefined || sectionNamed(".linux") === undefined) return "none";
  const ranges = textSections.map((name) => {
    const { offset, usedBytes } = sectionNamed(name) ?? { offset: 0, usedBytes: 0 };
    return { at: offset, lengthBytes: Math.min(usedBytes, textLimitBytes) };
  });
  const [version = "", commandLine = "", release = ""] = (await readParts(fileSystem, id, ranges)).map((bytes) => {
    return Buffer.from(bytes).toString("utf8").replace(/\0.*$/s, "").trim();
  });
  return { architecture: architectureOf(start), version, commandLine, systemName: prettyName(release) };
}

/** os-release(5) */
function prettyName(release: string): string {
  const value = /^PRETTY_NAME=(.*)$/m.exec(release)?.[1]?.trim() ?? "";
  return value.replace(/^(["'])(.*)\1$/, "$2");
}
