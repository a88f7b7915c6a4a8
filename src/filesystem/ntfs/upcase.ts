import { Failure } from "../../base/index.ts";
import type { NtfsSource } from "./ntfs-source.ts";
import { recordNumbers } from "./records.ts";
import { readStream } from "./stream.ts";
import { systemStream } from "./volume.ts";

const unitCount = 0x10000;

/** How a volume turns names into upper case, by which it orders them and tells them apart. */
export class NtfsUpcase {
  readonly #units: Uint16Array;

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#units = new Uint16Array(unitCount);
    for (let unit = 0; unit < unitCount; unit++) {
      this.#units[unit] = unit * 2 + 2 <= bytes.length ? view.getUint16(unit * 2, true) : unit;
    }
  }

  fold(name: string): string {
    let folded = "";
    for (let at = 0; at < name.length; at++) folded += String.fromCharCode(this.#units[name.charCodeAt(at)] ?? 0);
    return folded;
  }

  /** Negative where `a` comes before `b` in an index: by upper case, and where that is the same as they are. */
  compare(a: string, b: string): number {
    const [foldedA, foldedB] = [this.fold(a), this.fold(b)];
    if (foldedA !== foldedB) return foldedA < foldedB ? -1 : 1;
    return a === b ? 0 : a < b ? -1 : 1;
  }
}

/** The volume's own table; where that cannot be read, one of ASCII alone, and why. */
export async function readUpcase(
  source: NtfsSource,
): Promise<{ readonly upcase: NtfsUpcase; readonly problem?: string }> {
  try {
    const stream = await systemStream(source, recordNumbers.upcase, "the up-case table");
    if (stream.dataBytes === unitCount * 2) {
      return { upcase: new NtfsUpcase(await readStream(source, stream, 0, stream.dataBytes)) };
    }
    return { upcase: asciiUpcase(), problem: `the up-case table has ${stream.dataBytes} bytes, not ${unitCount * 2}` };
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    return { upcase: asciiUpcase(), problem: failure.message };
  }
}

function asciiUpcase(): NtfsUpcase {
  const units = Uint16Array.from({ length: 128 }, (_, unit) => String.fromCharCode(unit).toUpperCase().charCodeAt(0));
  return new NtfsUpcase(new Uint8Array(units.buffer));
}
