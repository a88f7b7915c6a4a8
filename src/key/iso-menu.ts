import { grubWord, grubWordWith } from "./grub-words.ts";
import { conditionOf, isSubmenu } from "./machines.ts";
import { secureBootVerdict } from "./secure-boot.ts";
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

export interface IsoMenuOptions {
  /** On a key for Secure Boot: those whose signatures its own shim accepts. */
  readonly secureBootSigners?: readonly string[];
}

/**
 * The entries of one file, as a script that the key's menu reads: a submenu where a machine can choose among several,
 * else one entry. Each machine sees those that it can start. `isoPath` is from the root of its partition.
 */
export function isoMenu(isoPath: string, iso: MenuOfFile, { secureBootSigners }: IsoMenuOptions = {}): string {
  const title = oneLine(iso.title);
  const noteOf = (entry: BootEntry): string =>
    secureBootSigners === undefined ? "" : noteFor(entry, secureBootSigners);
  const { isPlain = false } = iso;
  const startables = iso.entries.map((entry) => ({ ...entry, kind: entry.how.kind, isPlain }));
  if (isSubmenu(startables)) {
    const parts = startables.map((entry, at) => {
      const shown = { title: oneLine(entry.title), note: noteOf(entry), id: entryId(isoPath, at + 1) };
      const text = entryText(isoPath, entry, shown);
      const condition = conditionOf(entry);
      return condition === undefined ? text : `if ${condition}; then\n${text}fi\n`;
    });
    return `submenu ${grubWord(`${title} ...`)} --id ${grubWord(isoId(isoPath))} {\n${parts.join("")}}\n`;
  }
  let script = notHere(isoPath, title);
  for (const entry of startables.toReversed()) {
    const text = entryText(isoPath, entry, { title, note: noteOf(entry), id: isoId(isoPath) });
    const condition = conditionOf(entry);
    script = condition === undefined ? text : `if ${condition}; then\n${text}else\n${script}fi\n`;
  }
  return script;
}

/** What is shown behind the title where Secure Boot is on; these are empty where it is not. */
function noteFor(entry: BootEntry, trusted: readonly string[]): string {
  const verdict = secureBootVerdict({ ...entry, kind: entry.how.kind }, trusted);
  return verdict === "refused" ? '"$key_unsigned"' : verdict === "needs-key" ? '"$key_foreign"' : "";
}

/** What an ISO says of itself may have anything in it. */
export function oneLine(title: string): string {
  return title.replaceAll(/[\p{Control}\p{Zl}\p{Zp}]+/gu, " ").trim();
}

function notHere(isoPath: string, title: string): string {
  const shown = `${title} (not on this kind of machine)`;
  return `menuentry ${grubWord(shown)} --id ${grubWord(isoId(isoPath))} { true; }\n`;
}

interface ShownEntry {
  readonly title: string;
  /** A word of the script that follows the title, or nothing. */
  readonly note: string;
  readonly id: string;
}

function entryText(
  isoPath: string,
  { how, isPlain }: BootEntry & { readonly isPlain: boolean },
  { title, note, id }: ShownEntry,
): string {
  const starting =
    how.kind === "configfile" && note !== "" ? [`key_menu ${grubWord(how.path)} ${note}`] : startLines(how, "(loop)");
  const lines = isPlain
    ? [`set iso_path=${grubWord(isoPath)}`, 'set root="$isos"', ...startLines(placedAt(how, isoPath), "")]
    : [`key_open ${grubWord(isoPath)}`, ...starting];
  const body = lines
    .map(
      (line) => `  ${line}
`,
    )
    .join("");
  return `menuentry ${grubWord(title)}${note} --id ${grubWord(id)} {
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
      const loading = [kernel.join(" "), ...initrdLine("initrd", how.initrds, root)];
      return [...imageLine(how.image), ...orRefused(loading, how.kernel)];
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
      const loading = [`chainloader ${grubWord(from + how.program)}`];
      return [...imageLine(how.image), 'set root="$isos"', ...orRefused(loading, how.program)];
    }
    case "bsd": {
      const environment = Object.entries(how.environment).map(([name, value]) => {
        return `set ${grubWord(`kFreeBSD.${name}=${value}`)}`;
      });
      const modules = how.modules.map(({ image, words }) =>
        [`${how.loader}_module`, imageWord(image), ...wordsOf(words)].join(" "),
      );
      return orRefused([`${how.loader} ${grubWord(how.kernel)}`, ...environment, ...modules], how.kernel);
    }
    default: {
      // the two kinds of multiboot
      const modules = how.modules.map(({ path, words }) => {
        return [how.kind.replace("multiboot", "module"), grubWord(path), ...wordsOf(words)].join(" ");
      });
      return orRefused([[how.kind, grubWord(how.kernel), ...wordsOf(how.words)].join(" "), ...modules], how.kernel);
    }
  }
}

/** Lines of which the first loads a file; where that is refused, the menu says why, and the others are left out. */
function orRefused([first = "true", ...others]: readonly string[], file: string): readonly string[] {
  const rest = others.length === 0 ? ["true"] : others;
  return [`if ${first}; then`, ...rest.map((line) => `  ${line}`), "else", `  key_refused ${grubWord(file)}`, "fi"];
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
