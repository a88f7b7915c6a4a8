/** An entry of a `grub.cfg` that starts a kernel, as far as reading lines tells. Paths as they are written. */
export interface GrubMenuEntry {
  readonly title: string;
  readonly linux: string;
  readonly initrds: readonly string[];
  /** Variables of the menu stay as they are written. */
  readonly options: string;
}

const entryLimit = 1024;

/**
 * The entries of a menu, in its order, those in submenus too. GRUB's language is not run: of each entry the first kernel
 * counts. Kernels outside of any entry are entries without a title.
 */
export function parseGrubMenu(text: string): readonly GrubMenuEntry[] {
  const entries: GrubMenuEntry[] = [];
  let title = "";
  let isTaken = false;
  for (const line of text.split("\n")) {
    const match = /^[ \t]*(menuentry|linux(?:16|efi)?|initrd(?:16|efi)?|\}|submenu)(?=[ \t]|$)[ \t]*(.*)$/.exec(line);
    if (match === null) continue;
    const [, command = "", words = ""] = match;
    if (command === "menuentry") [title, isTaken] = [firstWord(words).word, false];
    else if (command.startsWith("linux") && !(isTaken && title !== "")) {
      const { word, rest } = firstWord(words);
      if (word === "" || entries.length === entryLimit) continue;
      entries.push({ title, linux: withoutDevice(word), initrds: [], options: rest.trim() });
      isTaken = true;
    } else if (command.startsWith("initrd")) {
      const last = entries.at(-1);
      if (last === undefined || !isTaken || last.initrds.length > 0) continue;
      const initrds = words.split(/[ \t]+/).filter((word) => word !== "" && !/[$"']/.test(word));
      entries[entries.length - 1] = { ...last, initrds: initrds.map(withoutDevice) };
    } else if (command === "}" && isTaken) [title, isTaken] = ["", false];
  }
  return entries;
}

/** `($root)/vmlinuz` and `(hd0,1)/vmlinuz` are paths on a partition. */
function withoutDevice(path: string): string {
  return path.replace(/^\([^)]*\)/, "");
}

/** The first word of a command, its quotes removed as a shell does. */
function firstWord(text: string): { readonly word: string; readonly rest: string } {
  let word = "";
  let rest = text;
  for (;;) {
    const match = /^(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+))/.exec(rest);
    if (match === null) return { word, rest };
    word += match[1] ?? match[2]?.replaceAll(/\\(["\\$])/g, "$1") ?? match[3] ?? match[4] ?? "";
    rest = rest.slice(match[0].length);
  }
}
