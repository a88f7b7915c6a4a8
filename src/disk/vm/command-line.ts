import { Failure } from "../../base/index.ts";
import type { Machine } from "./machine.ts";
import type { KernelFacts } from "./kernel-facts.ts";

export interface CommandLineOptions {
  /** What the machine calls its serial console: `ttyS0`. */
  readonly console: string;
  /** What the machine calls the disk: `/dev/vda`. */
  readonly diskDevice: string;
  /** Further words, given by the user. */
  readonly append?: string;
}

/**
 * What a kernel is told that is started directly: what the boot menu tells it, or else the root, and the serial
 * console. Without an initrd the kernel finds no file system by its UUID; it is told the partition then.
 */
export function directCommandLine(facts: KernelFacts, options: CommandLineOptions): string {
  const { kernel } = facts;
  const hasInitrd = kernel.initrd !== undefined;
  const fromMenu = wordsOf(kernel.commandLine ?? "").filter((word) => {
    return !word.includes("$") && !word.startsWith("BOOT_IMAGE=") && (hasInitrd || !isUuidRoot(word));
  });
  const words = [...fromMenu];
  const hasRoot = [...words, ...wordsOf(options.append ?? "")].some((word) => word.startsWith("root="));
  if (!hasRoot) words.unshift(rootWord(facts, options));
  if (!words.includes("ro") && !words.includes("rw")) words.push("ro");
  return withConsole(words, options).join(" ");
}

function rootWord({ kernel, partition, rootUuid, partUuid }: KernelFacts, { diskDevice }: CommandLineOptions): string {
  if (kernel.initrd !== undefined && rootUuid !== undefined) return `root=UUID=${rootUuid}`;
  if (partUuid !== undefined) return `root=PARTUUID=${partUuid}`;
  if (partition === undefined) return `root=${diskDevice}`;
  throw new Failure(
    "not-found",
    `cannot tell the root of the kernel ${kernel.version}: no boot menu on the disk says`,
    {
      hint: "name it: --append root=UUID=…",
    },
  );
}

/** The words that give a kernel the serial console last, where its first shell is. */
export function withConsole(
  words: readonly string[],
  { console, append }: Pick<CommandLineOptions, "console" | "append">,
): readonly string[] {
  const consoles = words.filter((word) => word.startsWith("console="));
  const isLast = consoles.at(-1)?.replace(/,.*/, "") === `console=${console}`;
  return [...words, ...(isLast ? [] : [`console=${console}`]), ...(append === undefined ? [] : [append])];
}

function isUuidRoot(word: string): boolean {
  return /^root=("?)(UUID|LABEL)=/.test(word);
}

/** The words of a line of a menu; what is in double quotes belongs together, as the kernel sees it too. */
function wordsOf(line: string): readonly string[] {
  return line.match(/(?:"[^"]*"|[^\s"])+/g) ?? [];
}

/** What to say of a machine whose serial console may stay empty, for it starts what the disk's own menu says. */
export function serialWarnings({ disk: { kernel }, direct }: Machine, console: string): readonly string[] {
  const told = kernel?.kernel.commandLine;
  const isTold = told === undefined || wordsOf(told).some((word) => word.startsWith(`console=${console}`));
  if (isTold || direct !== undefined) return [];
  return [`the boot menu on the disk does not tell the kernel console=${console}: the serial console may stay empty`];
}

/** The serial console of an emulated machine. */
export function consoleOf({ disk }: Machine): string {
  return disk.architecture === "x86_64" ? "ttyS0" : "ttyAMA0";
}
