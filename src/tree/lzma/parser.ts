import type { MatchFinder } from "./match-finder.ts";
import {
  afterLiteral,
  afterMatch,
  afterRep,
  afterShortRep,
  at,
  literalStates,
  longestMatch,
  positionMask,
  shortestMatch,
} from "./model.ts";
import { bitPrice, literalPrice, Prices } from "./prices.ts";
import { literalBack, newDistanceBack, useDistance, useRep, type Step, type SymbolWriter } from "./symbol-writer.ts";

/** Prices are taken anew from the model at least this often. */
const longestBlock = 4096;
/** A block may end from here on, where all ways meet. */
const shortestBlock = 256;
/** A match as long as this is taken without looking for anything better. */
const goodLength = 128;

type Reps = [number, number, number, number];

/**
 * Finds the cheapest steps for the next stretch of the data: the shortest way through the positions, where every
 * literal, repetition and match is an edge that costs what the model says at the start of the stretch.
 */
export class Parser {
  readonly #data: Uint8Array;
  readonly #finder: MatchFinder;
  readonly #prices = new Prices();
  readonly #cost = new Float64Array(longestBlock + longestMatch + 1);
  readonly #from = new Int32Array(longestBlock + longestMatch + 1);
  readonly #back = new Int32Array(longestBlock + longestMatch + 1);
  readonly #state = new Uint8Array(longestBlock + longestMatch + 1);
  readonly #reps = new Uint32Array(4 * (longestBlock + longestMatch + 1));
  #farthest = 0;

  constructor(data: Uint8Array, finder: MatchFinder) {
    this.#data = data;
    this.#finder = finder;
  }

  /** The steps from where the writer stands, at least one. */
  nextSteps(writer: SymbolWriter): readonly Step[] {
    this.#prices.update(writer.model);
    this.#cost.fill(Infinity);
    this.#cost[0] = 0;
    this.#farthest = 0;
    const start = writer.position;
    const reps: Reps = [0, 0, 0, 0];
    const left = this.#data.length - start;
    for (let n = 0; ; n++) {
      this.#arrive(n, writer, reps);
      const isMeeting = n === this.#farthest && n >= shortestBlock;
      if (n === left || n === longestBlock || isMeeting) return this.#wayTo(n);
      this.#finder.find();
      const good = this.#leave(start + n, n, reps, writer.model);
      if (good > 0) {
        this.#finder.skip(good - 1);
        return this.#wayTo(n + good);
      }
    }
  }

  /** Settles the state and the last distances of a position, now that the cheapest way to it is known. */
  #arrive(n: number, writer: SymbolWriter, reps: Reps): void {
    if (n === 0) {
      this.#state[0] = writer.state;
      for (let k = 0; k < 4; k++) reps[k] = writer.reps[k] ?? 0;
    } else {
      const from = this.#from[n] ?? 0;
      const back = this.#back[n] ?? literalBack;
      const state = this.#state[from] ?? 0;
      for (let k = 0; k < 4; k++) reps[k] = this.#reps[4 * from + k] ?? 0;
      if (back >= newDistanceBack) useDistance(reps, back - newDistanceBack);
      else if (back > 0) useRep(reps, back);
      this.#state[n] = stateAfter(state, back, n - from);
    }
    this.#reps.set(reps, 4 * n);
  }

  /** Looks at every edge from a position; gives the length of one that is long enough to be taken at once, or 0. */
  #leave(position: number, n: number, reps: Reps, model: Uint16Array): number {
    const data = this.#data;
    const state = this.#state[n] ?? 0;
    const cost = this.#cost[n] ?? 0;
    const matchAt = at.isMatch + state * 16 + (position & positionMask);
    const matched = state < literalStates ? -1 : (data[position - reps[0] - 1] ?? 0);
    const byteBefore = position === 0 ? 0 : (data[position - 1] ?? 0);
    const literal = literalPrice(model, byteBefore, data[position] ?? 0, matched);
    this.#offer(n, 1, literalBack, cost + bitPrice(model, matchAt, 0) + literal);

    const matchCost = cost + bitPrice(model, matchAt, 1);
    const limit = Math.min(longestMatch, data.length - position);
    return (
      this.#leaveByReps(position, n, reps, model, matchCost, limit) ||
      this.#leaveByMatches(position, n, model, matchCost)
    );
  }

  #leaveByReps(position: number, n: number, reps: Reps, model: Uint16Array, matchCost: number, limit: number): number {
    const state = this.#state[n] ?? 0;
    const repCost = matchCost + bitPrice(model, at.isRep + state, 1);
    for (let k = 0; k < 4; k++) {
      const length = this.#matchLength(position, reps[k] ?? 0, limit);
      if (length === 0) continue;
      const chosen = repCost + repPrice(model, state, k);
      const longAt = at.isRep0Long + state * 16 + (position & positionMask);
      if (k === 0) this.#offer(n, 1, 0, chosen + bitPrice(model, longAt, 0));
      if (length < shortestMatch) continue;
      const base = k === 0 ? chosen + bitPrice(model, longAt, 1) : chosen;
      if (length >= goodLength) return this.#takeAtOnce(n, length, k);
      for (let l = shortestMatch; l <= length; l++) this.#offer(n, l, k, base + this.#prices.repLength(position, l));
    }
    return 0;
  }

  #leaveByMatches(position: number, n: number, model: Uint16Array, matchCost: number): number {
    const { count, lengths, distances } = this.#finder;
    const base = matchCost + bitPrice(model, at.isRep + (this.#state[n] ?? 0), 0);
    const longest = count === 0 ? 0 : (lengths[count - 1] ?? 0);
    if (longest >= goodLength) return this.#takeAtOnce(n, longest, newDistanceBack + (distances[count - 1] ?? 0));
    let length = shortestMatch;
    for (let m = 0; m < count; m++) {
      const distance = distances[m] ?? 0;
      for (; length <= (lengths[m] ?? 0); length++) {
        const price = this.#prices.matchLength(position, length) + this.#prices.distance(distance, length);
        this.#offer(n, length, newDistanceBack + distance, base + price);
      }
    }
    return 0;
  }

  #takeAtOnce(n: number, length: number, back: number): number {
    this.#from[n + length] = n;
    this.#back[n + length] = back;
    return length;
  }

  #offer(from: number, length: number, back: number, cost: number): void {
    const to = from + length;
    if (cost >= (this.#cost[to] ?? 0)) return;
    this.#cost[to] = cost;
    this.#from[to] = from;
    this.#back[to] = back;
    if (to > this.#farthest) this.#farthest = to;
  }

  #matchLength(position: number, distance: number, limit: number): number {
    const from = position - distance - 1;
    if (from < 0) return 0;
    let length = 0;
    while (length < limit && this.#data[from + length] === this.#data[position + length]) length++;
    return length;
  }

  #wayTo(end: number): readonly Step[] {
    const steps: Step[] = [];
    for (let n = end; n > 0; n = this.#from[n] ?? 0) {
      steps.push({ length: n - (this.#from[n] ?? 0), back: this.#back[n] ?? literalBack });
    }
    return steps.toReversed();
  }
}

function stateAfter(state: number, back: number, length: number): number {
  if (back === literalBack) return afterLiteral(state);
  if (back >= newDistanceBack) return afterMatch(state);
  return length === 1 ? afterShortRep(state) : afterRep(state);
}

function repPrice(model: Uint16Array, state: number, rep: number): number {
  if (rep === 0) return bitPrice(model, at.isRep0 + state, 0);
  const notFirst = bitPrice(model, at.isRep0 + state, 1);
  if (rep === 1) return notFirst + bitPrice(model, at.isRep1 + state, 0);
  return notFirst + bitPrice(model, at.isRep1 + state, 1) + bitPrice(model, at.isRep2 + state, rep - 2);
}
