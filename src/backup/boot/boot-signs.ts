import { differsFrom, isBlank, type Screen } from "../../disk/index.ts";

/** What came of a start. */
export interface BootVerdict {
  /** Whether it would come up, as far as that can be seen. */
  readonly isUp: boolean;
  /** What was seen, in a line. */
  readonly seen: string;
}

/** What systems say once they are there. */
const upWords: readonly RegExp[] = [
  /^.*\blogin: *$/m,
  /Reached target [^\n]*(?:Multi-User|Graphical|multi-user\.target|graphical\.target)[^\n]*/,
  /Please press Enter to activate this console/,
];
/** What firmware, boot loaders and systems say where they will not get there. */
const downWords: readonly RegExp[] = [
  /Kernel panic - not syncing[^\n]*/,
  /No bootable (?:device|option)[^\n]*/,
  /(?:Missing|Invalid) operating system|(?:Operating system|An operating system wasn't) (?:not )?found/i,
  /(?:BOOTMGR|NTLDR) is missing/,
  /error: [^\n]*(?=\n[^]*Entering rescue mode)|Entering rescue mode|grub rescue>/,
  /Minimal BASH-like line editing is supported/,
  /UEFI Interactive Shell/,
  /ALERT! +[^\n]*does not exist[^\n]*|^ *\(initramfs\)/m,
  /dracut-initqueue[^\n]*timeout[^\n]*|Entering emergency mode[^\n]*/,
  /You are in (?:rescue|emergency) mode|Give root password for maintenance|Press Enter for maintenance/,
  /Cannot open access to console, the root account is locked/,
];
const kernelWords = /Linux version [^\s]+/;
const keptLength = 256 * 1024;
const seenLength = 200;

/** Gathers what a machine says and shows, until that tells whether its system comes up. */
export class BootSigns {
  readonly #until: string | undefined;
  #said = "";
  #rows = "";
  #firstPicture: Screen | undefined;
  #hasOtherPicture = false;
  #verdict: BootVerdict | undefined;

  /** With a text, only that counts as being there. */
  constructor(until?: string) {
    this.#until = until;
  }

  get verdict(): BootVerdict | undefined {
    return this.#verdict;
  }

  addSaid(text: string): void {
    this.#said = (this.#said + text.replaceAll("\r", "")).slice(-keptLength);
    this.#lookAt(this.#said);
  }

  addScreen(screen: Screen): void {
    if (screen.rows !== undefined) {
      this.#rows = screen.rows.join("\n");
      this.#lookAt(this.#rows);
    } else if (!isBlank(screen)) {
      this.#firstPicture ??= screen;
      this.#hasOtherPicture ||= differsFrom(screen, this.#firstPicture);
    }
  }

  /** What it comes to where nothing more is waited for. */
  conclude(why: string): BootVerdict {
    if (this.#verdict !== undefined) return this.#verdict;
    const awaited = this.#until === undefined ? "nothing that asks for a login" : `no "${this.#until}"`;
    const kernel = kernelWords.exec(this.#said)?.[0];
    if (this.#until === undefined && kernel === undefined && this.#hasOtherPicture) {
      return { isUp: true, seen: "its screen has shown pictures, which only a person can read" };
    }
    const last = this.#said.trimEnd().split("\n").at(-1)?.trim() ?? "";
    const after = kernel === undefined ? "" : `${kernel} has started, and `;
    return { isUp: false, seen: shortened(`${after}${awaited} ${why}${last === "" ? "" : `; last: ${last}`}`) };
  }

  #lookAt(text: string): void {
    if (this.#verdict !== undefined) return;
    if (this.#until !== undefined && text.includes(this.#until)) {
      this.#verdict = { isUp: true, seen: this.#until };
      return;
    }
    const down = found(downWords, text);
    const up = this.#until === undefined ? found(upWords, text) : undefined;
    if (down !== undefined) this.#verdict = { isUp: false, seen: down };
    else if (up !== undefined) this.#verdict = { isUp: true, seen: up };
  }
}

function found(patterns: readonly RegExp[], text: string): string | undefined {
  const words = patterns.map((pattern) => pattern.exec(text)?.[0]).find((one) => one !== undefined);
  return words === undefined ? undefined : shortened(words);
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > seenLength ? `${line.slice(0, seenLength - 1)}…` : line;
}
