/** A stretch of a device that cannot be read, in whole sectors. */
export interface UnreadableStretch {
  readonly startBytes: number;
  readonly lengthBytes: number;
}

/** What of a device turned out not to be readable, in ascending order, neighbours joined. */
export class Unreadable {
  #stretches: UnreadableStretch[] = [];

  constructor(known: readonly UnreadableStretch[] = []) {
    for (const stretch of known) this.add(stretch);
  }

  get stretches(): readonly UnreadableStretch[] {
    return this.#stretches;
  }

  get totalBytes(): number {
    return this.#stretches.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  }

  add(stretch: UnreadableStretch): void {
    let { startBytes } = stretch;
    let endBytes = startBytes + stretch.lengthBytes;
    const apart: UnreadableStretch[] = [];
    for (const other of this.#stretches) {
      const otherEnd = other.startBytes + other.lengthBytes;
      if (otherEnd < startBytes || other.startBytes > endBytes) apart.push(other);
      else [startBytes, endBytes] = [Math.min(startBytes, other.startBytes), Math.max(endBytes, otherEnd)];
    }
    const at = apart.findIndex((other) => other.startBytes > endBytes);
    const joined = { startBytes, lengthBytes: endBytes - startBytes };
    this.#stretches = at < 0 ? [...apart, joined] : apart.toSpliced(at, 0, joined);
  }

  /** The parts of a stretch that are known not to be readable. */
  within(startBytes: number, lengthBytes: number): readonly UnreadableStretch[] {
    if (this.#stretches.length === 0) return [];
    const endBytes = startBytes + lengthBytes;
    return this.#stretches.flatMap((stretch) => {
      const from = Math.max(startBytes, stretch.startBytes);
      const until = Math.min(endBytes, stretch.startBytes + stretch.lengthBytes);
      return from < until ? [{ startBytes: from, lengthBytes: until - from }] : [];
    });
  }
}
