import { upcaseStretches } from "./upcase-stretches.ts";

const unitCount = 0x10000;
/** Stands for a stretch of units that stay as they are; its length follows. */
const stretchMark = 0xffff;
/** A shorter stretch is written unit by unit: so the recommended table is (§7.2.5.1). */
const shortestStretch = 512;

/** How a volume turns names into upper case, by which it tells them apart. */
export class UpcaseTable {
  readonly #units: Uint16Array;

  private constructor(units: Uint16Array) {
    this.#units = units;
  }

  /** The one that new volumes have. */
  static recommended(): UpcaseTable {
    const units = identity();
    for (const [first, count, step, change] of upcaseStretches) {
      for (let n = 0; n < count; n++) units[first + n * step] = first + n * step + change;
    }
    return new UpcaseTable(units);
  }

  /** The one that these bytes spell. What they leave out stays as it is, and so does what passes the last unit. */
  static decode(bytes: Uint8Array): UpcaseTable {
    const units = identity();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let unit = 0;
    for (let at = 0; at + 2 <= bytes.length && unit < unitCount; at += 2) {
      const value = view.getUint16(at, true);
      if (value === stretchMark && at + 4 <= bytes.length) {
        at += 2;
        unit += view.getUint16(at, true);
      } else {
        units[unit++] = value;
      }
    }
    return new UpcaseTable(units);
  }

  encode(): Uint8Array<ArrayBuffer> {
    const values: number[] = [];
    for (let unit = 0; unit < unitCount;) {
      const start = unit;
      while (unit < unitCount && this.#units[unit] === unit) unit++;
      if (unit - start >= shortestStretch) values.push(stretchMark, unit - start);
      else for (let same = start; same < unit; same++) values.push(same);
      if (unit < unitCount) values.push(this.#units[unit++] ?? 0);
    }
    const bytes = new Uint8Array(values.length * 2);
    const view = new DataView(bytes.buffer);
    for (const [n, value] of values.entries()) view.setUint16(n * 2, value, true);
    return bytes;
  }

  /** A name in upper case. */
  fold(name: string): string {
    let folded = "";
    for (let at = 0; at < name.length; at++) {
      folded += String.fromCharCode(this.#units[name.charCodeAt(at)] ?? 0);
    }
    return folded;
  }
}

function identity(): Uint16Array {
  return Uint16Array.from({ length: unitCount }, (_, unit) => unit);
}
