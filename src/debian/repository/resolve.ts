import type { Relation, RelationGroup } from "../control/index.ts";
import { explainConflict, type Conflict } from "./explain.ts";
import type { IndexedPackage } from "./package-index.ts";
import type { PackagePool } from "./package-pool.ts";

/** Something that must hold: one of a group has to be chosen. */
export interface Clause {
  /** Absent for what the user asked for. */
  readonly owner?: IndexedPackage;
  readonly word: "depends on" | "pre-depends on" | "recommends" | "asked for";
  readonly group: RelationGroup;
}

export interface Chosen {
  readonly one: IndexedPackage;
  readonly because: Clause;
  /** The decisions without which it would not have been chosen here. */
  readonly decisions: ReadonlySet<number>;
}

/** What has been chosen so far, and what follows from it. Copied before each decision. */
interface State {
  readonly chosen: Map<string, Chosen>;
  /** By the name that they are about: relations of chosen packages that forbid. */
  readonly forbidding: Map<string, readonly { readonly owner: IndexedPackage; readonly relation: Relation }[]>;
  /** By the name that they provide. */
  readonly providing: Map<string, readonly IndexedPackage[]>;
  /** What is still open. */
  pending: readonly Clause[];
}

interface Decision {
  readonly before: State;
  readonly clause: Clause;
  readonly options: readonly IndexedPackage[];
  next: number;
  /** Earlier decisions that made an option fail. */
  readonly culprits: Set<number>;
}

const conflictLimit = 5000;

/**
 * Chooses packages so that every clause holds, without two that conflict. What leaves no choice is taken first; then, in
 * the order of the clauses, the first alternative that is not forbidden. Only a conflict makes it go back on a decision,
 * and then on one that had a part in it. The same input gives the same choice.
 */
export class Resolver {
  readonly #pool: PackagePool;
  readonly #excluded: ReadonlySet<string>;
  #state: State = { chosen: new Map(), forbidding: new Map(), providing: new Map(), pending: [] };

  constructor(pool: PackagePool, excluded: readonly string[]) {
    this.#pool = pool;
    this.#excluded = new Set(excluded);
  }

  /** All that is chosen when these clauses hold too. Throws where they cannot. */
  resolve(clauses: readonly Clause[]): readonly Chosen[] {
    this.#state.pending = [...this.#state.pending, ...clauses];
    const conflict = this.#search();
    if (conflict !== undefined) throw explainConflict(conflict, this.#pool);
    return [...this.#state.chosen.values()];
  }

  /** Adds what is recommended by all that is chosen, where it can be had. */
  resolveRecommends(): readonly Chosen[] {
    const asked = new Set<string>();
    for (let before = -1; before !== this.#state.chosen.size;) {
      before = this.#state.chosen.size;
      for (const { one } of this.#state.chosen.values()) {
        if (asked.has(one.name)) continue;
        asked.add(one.name);
        for (const group of this.#pool.relationsOf(one).recommends)
          this.#tryClause({ owner: one, word: "recommends", group });
      }
    }
    return [...this.#state.chosen.values()];
  }

  #tryClause(clause: Clause): void {
    const before = copyOf(this.#state);
    this.#state.pending = [clause];
    if (this.#search() !== undefined) this.#state = before;
  }

  /** The first conflict, where there is no way around it or none was found in so many tries. */
  #search(): Conflict | undefined {
    const decisions: Decision[] = [];
    let first: Conflict | undefined;
    for (let conflicts = 0; conflicts <= conflictLimit;) {
      const conflict = this.#propagate();
      if (conflict === undefined) {
        const [clause] = this.#state.pending;
        if (clause === undefined) {
          if (decisions.length > 0) this.#settle();
          return undefined;
        }
        const options = this.#viable(clause);
        decisions.push({ before: copyOf(this.#state), clause, options, next: 0, culprits: new Set() });
      } else {
        conflicts++;
        first ??= conflict;
        if (!goBack(decisions, conflict)) return first;
      }
      const level = decisions.length - 1;
      const decision = decisions[level];
      const option = decision?.options[decision.next];
      if (decision === undefined || option === undefined) return first;
      this.#state = copyOf(decision.before);
      const because = new Set([level, ...decision.culprits, ...this.#decisionsOf(decision.clause)]);
      this.#choose(option, decision.clause, because);
    }
    return first === undefined ? undefined : { ...first, isGivenUp: true };
  }

  /** What was decided stays from now on: a later search does not go back on it. */
  #settle(): void {
    for (const [name, chosen] of this.#state.chosen) this.#state.chosen.set(name, { ...chosen, decisions: new Set() });
  }

  /** Takes all that leaves no choice. What comes out is a clause that cannot hold. */
  #propagate(): Conflict | undefined {
    for (let isChanged = true; isChanged;) {
      isChanged = false;
      const open = this.#state.pending;
      const left: Clause[] = [];
      this.#state.pending = [];
      for (const clause of open) {
        if (this.#isMet(clause)) continue;
        const viable = this.#viable(clause);
        const [only] = viable;
        if (only === undefined) return this.#conflictOf(clause);
        if (viable.length > 1) left.push(clause);
        else {
          this.#choose(only, clause, this.#reasonsFor(clause, only));
          isChanged = true;
        }
      }
      this.#state.pending = [...left, ...this.#state.pending];
    }
    return undefined;
  }

  #choose(one: IndexedPackage, because: Clause, decisions: ReadonlySet<number>): void {
    const { chosen, forbidding, providing } = this.#state;
    chosen.set(one.name, { one, because, decisions });
    const relations = this.#pool.relationsOf(one);
    for (const relation of relations.conflicts) {
      forbidding.set(relation.name, [...(forbidding.get(relation.name) ?? []), { owner: one, relation }]);
    }
    for (const { name } of this.#pool.providesOf(one)) providing.set(name, [...(providing.get(name) ?? []), one]);
    this.#state.pending = [
      ...this.#state.pending,
      ...relations.preDepends.map((group) => ({ owner: one, word: "pre-depends on", group }) as const),
      ...relations.depends.map((group) => ({ owner: one, word: "depends on", group }) as const),
    ];
  }

  #isMet(clause: Clause): boolean {
    return this.#satisfiersOf(clause).some((one) => this.#state.chosen.get(one.name)?.one === one);
  }

  /** Who asks for a package by its name means that one, and not what provides the name. */
  #satisfiersOf({ group, word }: Clause): IndexedPackage[] {
    return group.flatMap((relation) => {
      const found = this.#pool.satisfiers(relation);
      const [first] = found;
      return word === "asked for" && first?.name === relation.name ? [first] : found;
    });
  }

  /** What could meet the clause, the preferred one first. */
  #viable(clause: Clause): IndexedPackage[] {
    const found = new Set(this.#satisfiersOf(clause));
    return [...found].filter((one) => !this.#excluded.has(one.name) && this.#forbiddersOf(one).length === 0);
  }

  /** Chosen packages that do not go together with this one. */
  #forbiddersOf(one: IndexedPackage): IndexedPackage[] {
    const { chosen, forbidding, providing } = this.#state;
    const { conflicts } = this.#pool.relationsOf(one);
    const found: IndexedPackage[] = [];
    for (const name of [one.name, ...this.#pool.providesOf(one).map((provided) => provided.name)]) {
      for (const { owner, relation } of forbidding.get(name) ?? []) {
        if (owner !== one && this.#pool.isMet(relation, one)) found.push(owner);
      }
    }
    for (const relation of conflicts) {
      const named = chosen.get(relation.name)?.one;
      for (const other of [...(named === undefined ? [] : [named]), ...(providing.get(relation.name) ?? [])]) {
        if (other !== one && this.#pool.isMet(relation, other)) found.push(other);
      }
    }
    return found;
  }

  /** The decisions that led to a clause. */
  #decisionsOf({ owner }: Clause): ReadonlySet<number> {
    return (owner === undefined ? undefined : this.#state.chosen.get(owner.name)?.decisions) ?? new Set();
  }

  /** The decisions that led to a clause and left only `only`. */
  #reasonsFor(clause: Clause, only: IndexedPackage | undefined): ReadonlySet<number> {
    const reasons = new Set(this.#decisionsOf(clause));
    for (const one of this.#satisfiersOf(clause)) {
      if (one === only) continue;
      for (const other of this.#forbiddersOf(one)) {
        for (const level of this.#state.chosen.get(other.name)?.decisions ?? []) reasons.add(level);
      }
    }
    return reasons;
  }

  #conflictOf(clause: Clause): Conflict {
    const candidates = this.#satisfiersOf(clause);
    return {
      clause,
      decisions: this.#reasonsFor(clause, undefined),
      chosen: new Map(this.#state.chosen),
      obstacles: candidates.map((one) => ({
        one,
        isExcluded: this.#excluded.has(one.name),
        forbidders: this.#forbiddersOf(one),
      })),
    };
  }
}

/** Moves to the next option of the last decision that had a part in the conflict. False where there is none. */
function goBack(decisions: Decision[], conflict: Conflict): boolean {
  let culprits = new Set(conflict.decisions);
  while (culprits.size > 0) {
    const level = Math.max(...culprits);
    decisions.length = level + 1;
    const decision = decisions[level];
    if (decision === undefined) return false;
    culprits.delete(level);
    for (const culprit of culprits) decision.culprits.add(culprit);
    decision.next++;
    if (decision.next < decision.options.length) return true;
    const owner = decision.clause.owner;
    const reasons = owner === undefined ? undefined : decision.before.chosen.get(owner.name)?.decisions;
    culprits = new Set([...decision.culprits, ...(reasons ?? [])]);
  }
  return false;
}

function copyOf(state: State): State {
  return {
    chosen: new Map(state.chosen),
    forbidding: new Map(state.forbidding),
    providing: new Map(state.providing),
    pending: state.pending,
  };
}
