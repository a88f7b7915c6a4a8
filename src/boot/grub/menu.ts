import type { Kernel } from "../kernels.ts";

export interface MenuOptions {
  /** Words for the kernel besides `root=`, such as `console=ttyS0 quiet`; of each, where they are not the same. */
  readonly kernelArguments?: string | ((kernel: Kernel) => string);
  /** Show the menu on the first serial port too. */
  readonly serial?: boolean;
  readonly timeoutSeconds: number;
}

/** What the entries of a menu are about. */
export interface MenuSubject {
  readonly kernels: readonly Kernel[];
  /** Of the file system that the kernels are in. */
  readonly bootUuid: string;
  /** Of the root of the system, where that is another one. */
  readonly rootUuid?: string;
  /** The number of the kernel that is started unless someone chooses. */
  readonly first?: number;
}

/** A program for either kind of PC starts kernels of both. */
const onArm = '[ "$grub_cpu" = "arm64" ]';
const onPc = '[ "$grub_cpu" != "arm64" ]';
const onUefi = '[ "$grub_platform" = "efi" ]';
/** Kernels keep the screen that GRUB has by UEFI, and stay dark for long where it has none. */
const screenLines = "insmod all_video\n";
const serialLines = "serial\nterminal_input console serial\nterminal_output console serial\n";

/**
 * A `grub.cfg` with the entries that menus of the image had for each kernel, or one for each. The kernels are found by the
 * UUID of their file system, and so is the root: whatever the entries had for it is left out. A machine is shown what it
 * can start.
 */
export function makeMenu(
  { kernels, bootUuid, rootUuid = bootUuid, first = 0 }: MenuSubject,
  options: MenuOptions,
): string {
  const isMixed = kernels.some(isForArm) && !kernels.every(isForArm);
  const entries = kernels.flatMap((kernel, n) => {
    const needs = [
      ...(isMixed ? [isForArm(kernel) ? onArm : onPc] : []),
      ...(kernel.isUnified === true ? [onUefi] : []),
    ];
    return entriesOf(kernel, rootUuid, options).map((entry) => ({ ...entry, n, condition: needs.join(" -a ") }));
  });
  const groups: { readonly condition: string; text: string }[] = [];
  for (const { condition, text } of entries) {
    const last = groups.at(-1);
    if (last !== undefined && last.condition === condition) last.text += text;
    else groups.push({ condition, text });
  }
  const all = groups.map(({ condition, text }) => (condition === "" ? text : when(condition, text))).join("");
  const chosen = first === 0 ? undefined : entries.find(({ n }) => n === first)?.title;
  const search = `search --no-floppy --fs-uuid --set=root ${bootUuid}\n`;
  const serial = kernels.some(isForArm) ? when(onPc, serialLines) : serialLines; // GRUB for arm64 has no serial ports
  const beginning = `set timeout=${options.timeoutSeconds}\nset default=${chosen === undefined ? 0 : quoted(chosen)}\n`;
  return `${options.serial === true ? serial : ""}${beginning}${search}${when(onUefi, screenLines)}${all}`;
}

function isForArm({ architecture }: Kernel): boolean {
  return architecture === "arm64";
}

function when(condition: string, lines: string): string {
  return `if ${condition.replaceAll(" ] -a [ ", " -a ")}; then\n${lines}fi\n`;
}

interface MenuEntry {
  readonly title: string;
  readonly text: string;
}

function entriesOf(kernel: Kernel, rootUuid: string, { kernelArguments = "" }: MenuOptions): readonly MenuEntry[] {
  const { version, path } = kernel;
  const added = typeof kernelArguments === "string" ? kernelArguments : kernelArguments(kernel);
  const initrds = kernel.initrds ?? (kernel.initrd === undefined ? [] : [kernel.initrd]);
  const usual = { title: `Linux ${version}`, commandLine: "ro", initrds };
  const bodies = new Map<string, string>();
  for (const entry of kernel.entries ?? [usual]) {
    const title = printable(entry.title) || usual.title;
    const words = [`root=UUID=${rootUuid}`, ...wordsOf(entry.commandLine, added)].join(" ");
    const loaded = entry.initrds.length > 0 ? entry.initrds : initrds;
    const initrdLine = loaded.length === 0 ? "" : `  initrd ${loaded.join(" ")}\n`;
    const lines = kernel.isUnified === true ? `  chainloader ${path}\n` : `  linux ${path} ${words}\n${initrdLine}`;
    if (!bodies.has(lines)) bodies.set(lines, title); // menus often have their first entry a second time
  }
  return Array.from(bodies, ([lines, title]) => ({ title, text: `menuentry ${quoted(title)} {\n${lines}}\n` }));
}

/** What a kernel is told besides its root: what an entry had, less what meant another disk, and what is added. */
function wordsOf(commandLine: string, added: string): readonly string[] {
  const isKept = (word: string): boolean => word !== "" && !/^(?:root|BOOT_IMAGE)=|\$/.test(word);
  const words = (commandLine.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []).map((word) => word.replaceAll(/["']/g, ""));
  const kept = words.filter(isKept);
  const mode = kept.includes("ro") || kept.includes("rw") ? [] : ["ro"];
  const more = added.split(" ").filter((word) => word !== "" && !kept.includes(word));
  return [...mode, ...kept, ...more].map((word) => (/^[\w.,:=@%+/~^-]+$/.test(word) ? word : quoted(word)));
}

/** Text for a menu, without what would move the cursor. */
function printable(text: string): string {
  return text
    .replaceAll(/\p{Cc}/gu, "")
    .trim()
    .slice(0, 200);
}

/** A word as GRUB's shell needs it. */
function quoted(text: string): string {
  if (/^[\w .,:()+/~-]+$/.test(text)) return `"${text}"`;
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
