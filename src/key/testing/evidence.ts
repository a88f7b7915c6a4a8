import { differsFrom, isBlank, type Screen } from "../../disk/index.ts";
import type { Verdict } from "../entry-test.ts";
import type { StartMethod } from "../recognise/index.ts";

export interface Awaited {
  readonly kind: StartMethod["kind"];
  /** Only this counts, said on the serial port. */
  readonly until?: string;
}

/** What GRUB says once it starts an entry by itself. */
const bootingMark = "Booting `";
const menuMark = /GNU GRUB +version/;
const complaint = /error: +([^\n]*?)\.? *$/m;
/** GRUB waits after what went wrong, and so does the key's menu. */
const waitingMark = /Press any key to continue|Escape leads back to the menu/;
/** What the key's menu says of files that were merely copied. */
const helpless = /There is no initrd for [^\n]*|It is not known how [^\n]*/;
/** The first words of kernels. */
const kernelWords = [
  /Linux version [^\s]+/,
  /EFI stub: [^\n]*/,
  /Decompressing Linux/,
  /Booting Linux on physical CPU[^\n]*/,
  /(?:FreeBSD|OpenBSD|NetBSD) [\d.]+[^\n]*/,
  /Xen version [^\s]+/,
];
/** What is said by GRUB and firmware, and not by what they start. */
const notOfProgram =
  /error:|Press any key|Booting (?:`|from )|BdsDxe|SeaBIOS \(version|^\s*Loading |GNU GRUB|EndEntire|file path:|\/File\(|^\s*$/;
const wordOfProgram = /\p{Letter}{3}/u;
/** MEMDISK is no more than what starts a floppy or disk; below this row of it that has begun. */
const memdiskRow = /^MEMDISK /;
const memdiskEnd = /booting\.\.\.$/;
/** An entry that is chosen inside the ISO's own menu is started by this key. */
const enter = "\r";
/** A kernel and all that comes with it says less before it is known to run; what is beyond is forgotten. */
const keptLength = 256 * 1024;
const seenLength = 100;

/** Gathers what a machine shows of an entry that was started by itself, until that tells what came of it. */
export class Evidence {
  readonly #awaited: Awaited;
  #said = "";
  #verdict: Verdict | undefined;
  /** Of screens before the entry was started: what stands on them is not its own. */
  readonly #earlierRows = new Set<string>();
  #earlierScreen: Screen | undefined;
  /** It looked foreign the last time; once may be a screen that is just being drawn. */
  #isForeign = false;
  #hasEntered = false;

  constructor(awaited: Awaited) {
    this.#awaited = awaited;
  }

  get verdict(): Verdict | undefined {
    return this.#verdict;
  }

  get #isBooting(): boolean {
    return this.#said.includes(bootingMark);
  }

  /** What GRUB and all after it have said since the entry was started. */
  get #saidSince(): string {
    return this.#said.slice(this.#said.indexOf(bootingMark) + bootingMark.length);
  }

  /** Takes in what was said, and gives what is to be typed now. */
  addSaid(text: string): string {
    this.#said = this.#kept(this.#said + text.replaceAll("\r", ""));
    if (this.#verdict !== undefined || !this.#isBooting) return "";
    const since = this.#saidSince;
    const { kind, until } = this.#awaited;
    if (until !== undefined && since.includes(until)) this.#decide("reached", until);
    else if (until === undefined) this.#lookForWords(since);
    const help = helpless.exec(since)?.[0];
    if (help !== undefined) this.#decide("refused", help);
    const isOwnMenu = kind === "configfile" && menuMark.test(since);
    if (isOwnMenu && !this.#hasEntered) {
      this.#hasEntered = true;
      return enter;
    }
    // An ISO's own menu goes on after complaints; nothing else does.
    if (kind !== "configfile" && (waitingMark.test(since) || menuMark.test(since))) this.#refuse(since);
    return "";
  }

  addScreen(screen: Screen): void {
    if (this.#verdict !== undefined) return;
    if (!this.#isBooting) {
      for (const row of screen.rows ?? []) this.#earlierRows.add(row.trim());
      this.#earlierScreen = screen;
      return;
    }
    if (this.#awaited.until !== undefined) return;
    const seen = this.#foreignPart(screen);
    if (seen !== undefined && this.#isForeign) this.#decide("started", seen);
    this.#isForeign = seen !== undefined;
  }

  /** What it comes to where nothing more is waited for. */
  conclude(why: string, isOff: boolean): Verdict {
    if (this.#verdict !== undefined) return this.#verdict;
    const error = complaint.exec(this.#isBooting ? this.#saidSince : "")?.[1];
    if (error !== undefined) return { outcome: "refused", seen: shortened(error) };
    if (isOff) return { outcome: "off", seen: "the machine switched itself off before anything was seen" };
    const what = this.#awaited.until === undefined ? "no sign of life" : `no "${this.#awaited.until}"`;
    const where = this.#isBooting ? "" : ": the menu did not start it";
    return { outcome: "silent", seen: `${what} ${why}${where}` };
  }

  #kept(text: string): string {
    if (text.length <= keptLength) return text;
    // That the entry was started is not forgotten.
    return (text.includes(bootingMark) ? `${bootingMark}\n` : "") + text.slice(-keptLength / 2);
  }

  #lookForWords(since: string): void {
    const words = kernelWords.map((pattern) => pattern.exec(since)?.[0]).find((found) => found !== undefined);
    if (words !== undefined) {
      this.#decide("started", words);
      return;
    }
    // The entries of others print before they start anything; this one does not.
    if (this.#awaited.kind !== "efi" && this.#awaited.kind !== "memdisk") return;
    if (complaint.test(since)) return; // what follows is the menu's, which explains it
    const [, ...lines] = since.split("\n");
    const complete = lines.slice(0, -1);
    const line = complete.find((one) => wordOfProgram.test(one) && !notOfProgram.test(one));
    if (line !== undefined) this.#decide("started", `it said: ${line.trim()}`);
  }

  #refuse(since: string): void {
    const error = complaint.exec(since)?.[1];
    if (error !== undefined) this.#decide("refused", error);
    else if (menuMark.test(since)) this.#decide("refused", "it came back to the menu");
  }

  /** What of a screen neither GRUB nor the firmware has put there. */
  #foreignPart(screen: Screen): string | undefined {
    if (screen.rows === undefined) {
      const isOther = this.#earlierScreen === undefined || differsFrom(screen, this.#earlierScreen);
      return isOther && !isBlank(screen) ? "its screen shows something else than the menu" : undefined;
    }
    const said = lettersOf(this.#said);
    const rows = rowsOfProgram(screen.rows.map((one) => one.trim()));
    const row = rows.find((one) => this.#isForeignRow(one) && !said.includes(lettersOf(one)));
    return row === undefined ? undefined : `on its screen: ${row}`;
  }

  #isForeignRow(row: string): boolean {
    return wordOfProgram.test(row) && !this.#earlierRows.has(row) && !notOfProgram.test(row);
  }

  #decide(outcome: Verdict["outcome"], seen: string): void {
    this.#verdict ??= { outcome, seen: shortened(seen) };
  }
}

/** On a screen and on the serial port the same is drawn with other lines and arrows around it. */
function lettersOf(text: string): string {
  return text.replaceAll(/[^A-Za-z\d]+/g, "");
}

/** What of a screen is not MEMDISK's. */
function rowsOfProgram(rows: readonly string[]): readonly string[] {
  const end = rows.findLastIndex((row) => memdiskEnd.test(row));
  return end < 0 && rows.some((row) => memdiskRow.test(row)) ? [] : rows.slice(end + 1);
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > seenLength ? `${line.slice(0, seenLength - 1)}…` : line;
}
