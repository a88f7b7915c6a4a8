import * as fs from "node:fs";
import { textIfThere } from "../text-if-there.ts";
import { flagsOfLetters, keywordLimit, letterOf } from "./file-name.ts";

/** Of so many different sets of letters the flags are remembered. */
const flagsLimit = 4096;

/** `dovecot-keywords` of one mailbox: which keyword each letter from a to z stands for. */
export class KeywordsFile {
  readonly #path: string;
  readonly #mode: number;
  readonly #flags = new Map<string, readonly string[]>();
  #names: readonly (string | undefined)[] = [];
  #seen = "";

  constructor(path: string, mode: number) {
    this.#path = path;
    this.#mode = mode;
  }

  /** By letter; holes where letters are free. */
  get names(): readonly (string | undefined)[] {
    return this.#names;
  }

  get inUse(): readonly string[] {
    return this.#names.filter((name) => name !== undefined);
  }

  get isFull(): boolean {
    return this.inUse.length >= keywordLimit;
  }

  /** Another where letters may have got another meaning. */
  get version(): string {
    return this.#seen;
  }

  refresh(): void {
    const stat = fs.statSync(this.#path, { throwIfNoEntry: false });
    const seen = stat === undefined ? "" : `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
    if (seen === this.#seen) return;
    this.#names = stat === undefined ? [] : parse(textIfThere(this.#path));
    this.#seen = seen;
    this.#flags.clear();
  }

  flagsOf(letters: string): readonly string[] {
    const known = this.#flags.get(letters);
    if (known !== undefined) return known;
    const flags = flagsOfLetters(letters, this.#names);
    if (this.#flags.size < flagsLimit) this.#flags.set(letters, flags);
    return flags;
  }

  /** Those for which there is no letter. */
  missing(flags: readonly string[]): readonly string[] {
    return flags.filter((flag) => letterOf(flag, this.#names) === undefined);
  }

  /** Under the lock of the list of UIDs. Those for which there is no letter are left out. */
  add(keywords: readonly string[]): void {
    this.refresh();
    const names = Array.from({ length: keywordLimit }, (_, index) => this.#names[index]);
    const known = new Set(this.inUse.map((name) => name.toLowerCase()));
    let isChanged = false;
    for (const keyword of keywords) {
      const free = names.indexOf(undefined);
      if (free < 0 || known.has(keyword.toLowerCase())) continue;
      names[free] = keyword;
      known.add(keyword.toLowerCase());
      isChanged = true;
    }
    if (isChanged) this.#write(names);
  }

  #write(names: readonly (string | undefined)[]): void {
    const lines = names.flatMap((name, index) => (name === undefined ? [] : `${index} ${name}\n`));
    // Dovecot's own name for what is to replace the file.
    const temporary = `${this.#path}.lock`;
    const before = fs.statSync(this.#path, { throwIfNoEntry: false });
    const fd = fs.openSync(temporary, "w", this.#mode);
    try {
      fs.writeFileSync(fd, lines.join(""));
      const seconds = Math.floor(fs.fstatSync(fd).mtimeMs / 1000);
      // Others look at whole seconds only.
      const earliest = Math.floor((before?.mtimeMs ?? 0) / 1000) + 1;
      if (seconds < earliest) fs.futimesSync(fd, earliest, earliest);
      fs.fdatasyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, this.#path);
    this.refresh();
  }
}

function parse(text: string): (string | undefined)[] {
  const names: (string | undefined)[] = [];
  const known = new Set<string>();
  for (const line of text.split("\n")) {
    const [, digits = "", name = ""] = /^(\d{1,2}) (\S+)$/.exec(line) ?? [];
    const lower = name.toLowerCase();
    if (name === "" || Number(digits) >= keywordLimit || known.has(lower)) continue;
    known.add(lower);
    names[Number(digits)] = name;
  }
  return Array.from(names);
}
