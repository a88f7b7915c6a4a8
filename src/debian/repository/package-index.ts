import { Failure } from "../../base/index.ts";
import { parseStanza, type Stanza } from "../control/index.ts";

/** A package that an index offers. */
export class IndexedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly priority: string;
  readonly isEssential: boolean;
  /** The field Provides, empty where there is none. */
  readonly provides: string;
  readonly index: PackageIndex;
  readonly #start: number;
  readonly #end: number;
  #control: Stanza | undefined;

  constructor(index: PackageIndex, seen: SeenStanza) {
    this.index = index;
    this.name = seen.name;
    this.version = seen.version;
    this.architecture = seen.architecture;
    this.priority = seen.priority;
    this.isEssential = seen.isEssential;
    this.provides = seen.provides;
    this.#start = seen.start;
    this.#end = seen.end;
  }

  /** Its whole stanza, taken apart when first asked for. */
  get control(): Stanza {
    this.#control ??= parseStanza(this.index.content.toString("utf8", this.#start, this.#end), this.index.name);
    return this.#control;
  }
}

export interface PackageIndex {
  /** For messages. */
  readonly name: string;
  readonly content: Buffer;
  /** Which of several archives it belongs to: counted from 0, in the order of the sources. */
  readonly suiteNumber: number;
  /** What apt would prefer its packages with: 500, less where they have to be asked for. */
  readonly pin: number;
}

interface SeenStanza {
  readonly start: number;
  readonly end: number;
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly priority: string;
  readonly isEssential: boolean;
  readonly provides: string;
}

const lineFeed = 0x0a;
const namePattern = /^[A-Za-z0-9][A-Za-z0-9+.-]*$/;
const versionPattern = /^(?:\d{1,9}:)?[A-Za-z0-9.+~:-]+$/;

/** The packages of these architectures in an index. One pass over the bytes; a stanza is taken apart when it is asked for. */
export function packagesIn(index: PackageIndex, architectures: readonly string[]): IndexedPackage[] {
  const packages: IndexedPackage[] = [];
  const { content } = index;
  for (let start = 0; start < content.length;) {
    if (content[start] === lineFeed) {
      start++;
      continue;
    }
    const seen = look(content, start);
    if (architectures.includes(seen.architecture)) {
      if (!namePattern.test(seen.name) || !versionPattern.test(seen.version)) {
        throw new Failure(
          "damaged",
          `cannot read "${index.name}": byte ${start} begins a package without a proper name and version`,
        );
      }
      packages.push(new IndexedPackage(index, seen));
    }
    start = seen.end + 1;
  }
  return packages;
}

/** What choosing needs of the stanza that begins at `start`. */
function look(content: Buffer, start: number): SeenStanza {
  let [name, version, architecture, priority] = ["", "", "", ""];
  let [provides, isEssential] = ["", false];
  let at = start;
  while (at < content.length && content[at] !== lineFeed) {
    const found = content.indexOf(lineFeed, at);
    const end = found < 0 ? content.length : found;
    switch ((content[at] ?? 0) | 0x20) {
      case 0x70: // p
        if (isField(content, at, "package:")) name = valueAt(content, at + 8, end);
        else if (isField(content, at, "priority:")) priority = valueAt(content, at + 9, end);
        else if (isField(content, at, "provides:")) provides = valueAt(content, at + 9, end);
        break;
      case 0x76: // v
        if (isField(content, at, "version:")) version = valueAt(content, at + 8, end);
        break;
      case 0x61: // a
        if (isField(content, at, "architecture:")) architecture = valueAt(content, at + 13, end);
        break;
      case 0x65: // e
        if (isField(content, at, "essential:")) isEssential = valueAt(content, at + 10, end) === "yes";
        break;
      default:
    }
    at = end + 1;
  }
  return { start, end: Math.min(at, content.length), name, version, architecture, priority, isEssential, provides };
}

/** Whether the bytes there are this field, in any case. */
function isField(content: Buffer, at: number, field: string): boolean {
  for (let n = 0; n < field.length; n++) {
    const octet = content[at + n] ?? 0;
    const lower = octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
    if (lower !== field.charCodeAt(n)) return false;
  }
  return true;
}

function valueAt(content: Buffer, start: number, end: number): string {
  return content.toString("latin1", start, end).trim();
}
