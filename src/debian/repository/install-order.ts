import type { RelationGroup } from "../control/index.ts";
import type { IndexedPackage } from "./package-index.ts";
import type { PackagePool } from "./package-pool.ts";

/**
 * Each package after what it depends on. Where packages depend on each other in a circle, each of them after what it
 * pre-depends on; by name otherwise, essential ones first.
 */
export function inInstallOrder(packages: readonly IndexedPackage[], pool: PackagePool): IndexedPackage[] {
  const sorted = packages.toSorted(
    (a, b) => Number(b.isEssential) - Number(a.isEssential) || (a.name < b.name ? -1 : 1),
  );
  const chosen = new Set(sorted);
  const metBy = (groups: readonly RelationGroup[]): IndexedPackage[] => {
    return groups.flat().flatMap((relation) => pool.satisfiers(relation).filter((one) => chosen.has(one)));
  };
  const strong = new Map(sorted.map((one) => [one, metBy(pool.relationsOf(one).preDepends)]));
  const all = new Map(
    sorted.map((one) => [one, [...(strong.get(one) ?? []), ...metBy(pool.relationsOf(one).depends)]]),
  );
  return circlesOf(sorted, all).flatMap((circle) => {
    return circle.length === 1 ? circle : circlesOf(inOrderOf(circle, sorted), strong, new Set(circle)).flat();
  });
}

function inOrderOf(some: readonly IndexedPackage[], all: readonly IndexedPackage[]): IndexedPackage[] {
  const wanted = new Set(some);
  return all.filter((one) => wanted.has(one));
}

interface Visit {
  readonly number: number;
  low: number;
  isOpen: boolean;
}

/** Packages that need each other together, each such circle after those that it needs (Tarjan's algorithm). */
function circlesOf(
  packages: readonly IndexedPackage[],
  needs: ReadonlyMap<IndexedPackage, readonly IndexedPackage[]>,
  within?: ReadonlySet<IndexedPackage>,
): IndexedPackage[][] {
  const visits = new Map<IndexedPackage, Visit>();
  const open: IndexedPackage[] = [];
  const circles: IndexedPackage[][] = [];
  const visit = (one: IndexedPackage): Visit => {
    const own: Visit = { number: visits.size, low: visits.size, isOpen: true };
    visits.set(one, own);
    open.push(one);
    for (const needed of needs.get(one) ?? []) {
      if (within?.has(needed) === false) continue;
      const known = visits.get(needed);
      if (known === undefined) own.low = Math.min(own.low, visit(needed).low);
      else if (known.isOpen) own.low = Math.min(own.low, known.number);
    }
    if (own.low === own.number) {
      const circle = open.splice(open.indexOf(one));
      for (const member of circle) {
        const visited = visits.get(member);
        if (visited !== undefined) visited.isOpen = false;
      }
      circles.push(circle);
    }
    return own;
  };
  for (const one of packages) if (!visits.has(one)) visit(one);
  return circles;
}
