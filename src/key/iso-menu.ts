import { grubWord, grubWordWith } from "./grub-words.ts";
import { conditionOf, isSubmenu } from "./machines.ts";
import type { BootEntry, ImagePlace, RecognisedIso, StartMethod } from "./recognise/index.ts";

/** What the key finds out when it starts, by its names in the words of entries and in GRUB. */
const variables: ReadonlyMap<string, string> = new Map([
  ["${isoPath}", "iso_path"],
  ["${isosUuid}", "isos_uuid"],
]);

/** The ids under which GRUB finds the entries of an ISO: a submenu's, and those in it. */
export const isoId = (isoPath: string): string => isoPath;
export const entryId = (isoPath: string, number: number): string => `${isoPath}#${number}`;

/** What a menu shows of a file. */
export type MenuOfFile = Pick<RecognisedIso, "title" | "entries"> & {
  /** It is started itself, and not what is in it: `${isoPath}` in its entries is the file. */
  readonly isPlain?: boolean;
};

/**
 * The entries of one file, as a script that the key's menu reads: a submenu where a machine can choose among several,
 * else one entry. Each machine sees those that it can start. `isoPath` is from the root of its partition.
 */
export function isoMenu(isoPath: string, iso: MenuOfFile): string {
  const title = oneLine(iso.title);
  const entries = iso.isPlain === true ? iso.entries.map((entry) => ({ ...entry, isPlain: true })) : iso.entries;
  const startables = entries.map((entry) => ({ ...entry, kind: entry.how.kind }));
  if (isSubmenu(startables)) {
    const parts = startables.map((entry, at) => {
      const text = entryText(isoPath, entry, { title: oneLine(entry.title), id: entryId(isoPath, at + 1) });
      const condition = conditionOf(entry);
      return condition === undefined ? text : `if ${condition}; then\n${text}fi\n`;
    });
    return `submenu ${grubWord(title)} --id ${grubWord(isoId(isoPath))} {\n${parts.join("")}}\n`;
  }
  let script = notHere(isoPath, title);
  for (const entry of startables.toReversed()) {
    const text = entryText(isoPath, entry, { title, id: isoId(isoPath) });
    const condition = conditionOf(entry);
    script = condition === undefined ? text : `if ${condition}; then\n${text}else\n${script}fi\n`;
  }
  return script;
}

/** What an ISO says of itself may have anything in it. */
function oneLine(title: string): string {
  return title.replaceAll(/[\p{Control}\p{Zl}\p{Zp}]+/gu, " ").trim();
}

function notHere(isoPath: string, title: string): string {
  const shown = `${title} (not on this kind of machine)`;
  return `menuentry ${grubWord(shown)} --id ${grubWord(isoId(isoPath))} { true; }\n`;
}

function entryText(
  isoPath: string,
  { how, isPlain = false }: BootEntry & { readonly isPlain?: boolean },
  { title, id }: { readonly title: string; readonly id: string },
): string {
  const lines = isPlain
    ? [`set iso_path=${grubWord(isoPath)}`, 'set root="$isos"', ...startLines(placedAt(how, isoPath), "")]
    : [`key_open ${grubWord(isoPath)}`, ...startLines(how, "(loop)")];
  const body = lines
    .map(
      (line) => `  ${line}
`,
    )
    .join("");
  return `menuentry ${grubWord(title)} --id ${grubWord(id)} {
${body}}
`;
}

/** How a file is started whose own path this is. */
function placedAt(how: StartMethod, path: string): StartMethod {
  const placed = (text: string): string => text.replaceAll("${isoPath}", path);
  if (how.kind === "efi") return { ...how, program: placed(how.program) };
  if (how.kind !== "linux" && how.kind !== "linux16") return how;
  return { ...how, kernel: placed(how.kernel), initrds: how.initrds.map(placed) };
}

/** `device` is what paths in no image are on, for commands that take no path of the root. */
function startLines(how: StartMethod, device: string): readonly string[] {
  switch (how.kind) {
    case "configfile":
      return [`configfile ${grubWord(how.path)}`];
    case "linux": {
      const root = how.image === undefined ? "" : "(image)";
      const kernel = ["linux", grubWord(root + how.kernel), ...wordsOf(how.words), "$key_arguments"];
      return [...imageLine(how.image), kernel.join(" "), ...initrdLine("initrd", how.initrds, root)];
    }
    case "linux16": {
      const kernel = ["linux16", grubWord(how.kernel), ...wordsOf(how.words)];
      return [kernel.join(" "), ...initrdLine("initrd16", how.initrds, "")];
    }
    case "memdisk":
      return [`linux16 "$prefix/memdisk" ${memdiskWords[how.medium]}`, `initrd16 ${imageWord(how.image)}`];
    case "efi": {
      // It tells the program where it is from by the root, which has to be a device that the firmware knows.
      const from = how.image === undefined ? device : "(image)";
      return [...imageLine(how.image), 'set root="$isos"', `chainloader ${grubWord(from + how.program)}`];
    }
    case "bsd":
      return [
        `${how.loader} ${grubWord(how.kernel)}`,
        ...Object.entries(how.environment).map(([name, value]) => `set ${grubWord(`kFreeBSD.${name}=${value}`)}`),
        ...how.modules.map(({ image, words }) =>
          [`${how.loader}_module`, imageWord(image), ...wordsOf(words)].join(" "),
        ),
      ];
    default: // the two kinds of multiboot
      return [
        [how.kind, grubWord(how.kernel), ...wordsOf(how.words)].join(" "),
        ...how.modules.map(({ path, words }) => {
          return [how.kind.replace("multiboot", "module"), grubWord(path), ...wordsOf(words)].join(" ");
        }),
      ];
  }
}

/** What memdisk is told of a disk (Syslinux 6.04 doc/memdisk.txt). */
const memdiskWords = { iso: "iso raw", floppy: "floppy raw", harddisk: "harddisk raw" } as const;

function wordsOf(words: readonly string[]): readonly string[] {
  return words.map((word) => grubWordWith(word, variables));
}

function initrdLine(command: string, initrds: readonly string[], root: string): readonly string[] {
  return initrds.length === 0 ? [] : [[command, ...initrds.map((path) => grubWord(root + path))].join(" ")];
}

/** Opens an image inside the ISO. */
function imageLine(image: ImagePlace | undefined): readonly string[] {
  return image === undefined ? [] : [`loopback image ${imageWord(image)}`];
}

function imageWord(image: ImagePlace): string {
  if (image.kind === "whole") return '"($isos)$iso_path"';
  return grubWord(image.kind === "file" ? `(loop)${image.path}` : `(loop)${image.start}+${image.count}`);
}
