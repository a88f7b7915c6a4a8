import { Failure } from "../../base/index.ts";
import { groupText } from "../control/index.ts";
import type { IndexedPackage } from "./package-index.ts";
import type { PackagePool } from "./package-pool.ts";
import type { Chosen, Clause } from "./resolve.ts";

/** A clause that cannot hold, and what stands in its way. */
export interface Conflict {
  readonly clause: Clause;
  readonly decisions: ReadonlySet<number>;
  /** There may be a way around it, but the search took too long. */
  readonly isGivenUp?: boolean;
  readonly chosen: ReadonlyMap<string, Chosen>;
  readonly obstacles: readonly {
    readonly one: IndexedPackage;
    readonly isExcluded: boolean;
    readonly forbidders: readonly IndexedPackage[];
  }[];
}

const shownLinks = 6;

/** `cannot install "x": it depends on y, which depends on z (>= 2), of which there is 1.0`. */
export function explainConflict(conflict: Conflict, pool: PackagePool): Failure {
  const { clause } = conflict;
  const chain = chainTo(clause, conflict.chosen);
  const [asked, ...links] = chain;
  const subject = asked === undefined ? groupText(clause.group) : groupText(asked.group);
  const steps = links.map((link) => `${link.word} ${groupText(link.group)}`);
  const shown = steps.length > shownLinks ? [...steps.slice(0, 3), "…", ...steps.slice(1 - shownLinks / 2)] : steps;
  const path = shown.length === 0 ? "" : `it ${shown.join(", which ")}, `;
  const why = whyNot(conflict, pool, links.length === 0);
  return new Failure("failed", `cannot install "${subject}": ${path}${why}`, {
    hint: hintFor(conflict),
  });
}

function hintFor({ obstacles, isGivenUp = false }: Conflict): string {
  if (isGivenUp) return "there may be a way around it, but the search took too long: name what to take instead";
  return obstacles.length === 0
    ? "is the name right, and its component (contrib, non-free, non-free-firmware) among the sources?"
    : "leave one of them out, or ask for another version with name=version";
}

/** From what was asked for down to the clause. */
function chainTo(clause: Clause, chosen: ReadonlyMap<string, Chosen>): Clause[] {
  const chain = [clause];
  for (let owner = clause.owner; owner !== undefined && chain.length <= chosen.size + 1;) {
    const because = chosen.get(owner.name)?.because;
    if (because === undefined) break;
    chain.unshift(because);
    owner = because.owner;
  }
  return chain;
}

function whyNot({ clause, obstacles, chosen }: Conflict, pool: PackagePool, isAskedFor: boolean): string {
  const pronoun = isAskedFor ? "it" : "which";
  const [obstacle] = obstacles;
  if (obstacle === undefined) {
    const versions = [...new Set(clause.group.flatMap(({ name }) => pool.versionsOf(name)))];
    if (versions.length > 0)
      return isAskedFor ? `there is ${versions.join(", ")}` : `of which there is ${versions.join(", ")}`;
    return `${pronoun} is not in these suites`;
  }
  if (obstacle.isExcluded) return `${pronoun} is excluded`;
  const name =
    clause.group.length === 1 && clause.group[0]?.name === obstacle.one.name ? pronoun : `and ${obstacle.one.name}`;
  const others = [...new Set(obstacle.forbidders.map((other) => other.name))].map((other) => {
    const owner = chosen.get(other)?.because.owner;
    return owner === undefined ? other : `${other} (which ${owner.name} needs)`;
  });
  return `${name} conflicts with ${others.join(", ")}`;
}
