import { Failure } from "../../base/index.ts";
import type { RelationGroup } from "../control/index.ts";
import { inInstallOrder } from "./install-order.ts";
import { packagesIn, type IndexedPackage, type PackageIndex } from "./package-index.ts";
import { PackagePool, parseRequest } from "./package-pool.ts";
import type { PackageRequest } from "./request.ts";
import { Resolver, type Clause } from "./resolve.ts";

/** What is asked for and all that it needs, in the order of installation. */
export function choosePackages(
  indexes: readonly PackageIndex[],
  request: Pick<PackageRequest, "architecture" | "include" | "exclude" | "priorities" | "recommends">,
): readonly IndexedPackage[] {
  const { architecture, exclude = [], priorities } = request;
  const packages = indexes.flatMap((index) => packagesIn(index, [architecture, "all"]));
  const groups = request.include.map(parseRequest);
  const versions = new Map(
    groups.flat().flatMap(({ name, operator, version }) => {
      return operator === "=" && version !== undefined ? [[name, version] as const] : [];
    }),
  );
  const pool = new PackagePool(packages, architecture, versions);
  const byPriority = [...pool.candidates()].filter((one) => {
    const isWanted = priorities.some((wanted) => (wanted === "essential" ? one.isEssential : one.priority === wanted));
    return isWanted && !exclude.includes(one.name);
  });
  for (const group of groups) refuseAmbiguous(group, pool);
  const clauses: Clause[] = [
    ...byPriority.map(({ name }) => ({ word: "asked for", group: [{ name }] }) as const),
    ...groups.map((group) => ({ word: "asked for", group }) as const),
  ];
  const resolver = new Resolver(pool, exclude);
  const chosen = resolver.resolve(clauses);
  const all = request.recommends === true ? resolver.resolveRecommends() : chosen;
  return inInstallOrder(
    all.map(({ one }) => one),
    pool,
  );
}

/** A name that no package has and several provide is a question that only the user can answer. */
function refuseAmbiguous(group: RelationGroup, pool: PackagePool): void {
  const [only] = group;
  if (only === undefined || group.length > 1 || pool.candidate(only.name) !== undefined) return;
  const providers = pool.providersOf(only.name).map(({ name }) => name);
  if (providers.length < 2) return;
  throw new Failure("usage", `cannot install "${only.name}": it is provided by ${providers.slice(0, 10).join(", ")}`, {
    hint: "name one of them",
  });
}
