import { Failure } from "../../base/index.ts";
import {
  compareVersions,
  fieldOf,
  isVersionMet,
  parseRelations,
  type Relation,
  type RelationGroup,
} from "../control/index.ts";
import type { IndexedPackage } from "./package-index.ts";

/** What one package asks of others, its fields taken apart once. */
export interface PackageRelations {
  readonly preDepends: readonly RelationGroup[];
  readonly depends: readonly RelationGroup[];
  readonly recommends: readonly RelationGroup[];
  /** Conflicts and Breaks: on a fresh system they mean the same. */
  readonly conflicts: readonly Relation[];
}

/** What there is to choose from: of every name the one version that apt would install. */
export class PackagePool {
  readonly #candidates = new Map<string, IndexedPackage>();
  /** Versions of packages of which another one is asked for. */
  readonly #others = new Map<string, readonly string[]>();
  readonly #providers = new Map<string, IndexedPackage[]>();
  readonly #relations = new Map<IndexedPackage, PackageRelations>();
  readonly #provides = new Map<IndexedPackage, readonly Relation[]>();
  readonly #satisfiers = new Map<string, readonly IndexedPackage[]>();
  readonly #architecture: string;

  /** `versions` has the names of which a certain version is asked for. */
  constructor(packages: readonly IndexedPackage[], architecture: string, versions: ReadonlyMap<string, string>) {
    this.#architecture = architecture;
    for (const one of packages) {
      const wanted = versions.get(one.name);
      if (wanted !== undefined && wanted !== one.version) {
        this.#others.set(one.name, [...(this.#others.get(one.name) ?? []), one.version]);
        continue;
      }
      const known = this.#candidates.get(one.name);
      if (known === undefined || isPreferred(one, known)) this.#candidates.set(one.name, one);
    }
    for (const one of this.#candidates.values()) {
      if (one.provides === "") continue;
      for (const name of new Set(this.providesOf(one).map((provided) => provided.name))) {
        const providers = this.#providers.get(name);
        if (providers === undefined) this.#providers.set(name, [one]);
        else providers.push(one);
      }
    }
  }

  candidate(name: string): IndexedPackage | undefined {
    return this.#candidates.get(name);
  }

  /** The versions that there are of a name, where none of them will do. */
  versionsOf(name: string): readonly string[] {
    const candidate = this.candidate(name);
    return candidate === undefined ? (this.#others.get(name) ?? []) : [candidate.version];
  }

  candidates(): Iterable<IndexedPackage> {
    return this.#candidates.values();
  }

  /** What provides the name and is not called so, in the order in which they are tried. */
  providersOf(name: string): readonly IndexedPackage[] {
    return (this.#providers.get(name) ?? []).filter((one) => one.name !== name).toSorted(byPriority);
  }

  /** Whatever meets the relation: the package itself first, then what provides it. */
  satisfiers(relation: Relation): readonly IndexedPackage[] {
    const key = `${relation.name}:${relation.architecture ?? ""} ${relation.operator ?? ""} ${relation.version ?? ""}`;
    const known = this.#satisfiers.get(key);
    if (known !== undefined) return known;
    const real = this.#candidates.get(relation.name);
    const all = [...(real === undefined ? [] : [real]), ...this.providersOf(relation.name)];
    const found = all.filter((one) => this.isMet(relation, one));
    this.#satisfiers.set(key, found);
    return found;
  }

  /** Whether this package meets the relation, by its name or by what it provides. */
  isMet(relation: Relation, by: IndexedPackage): boolean {
    if (!this.#isArchitectureMet(relation.architecture, by)) return false;
    if (by.name === relation.name && isVersionMet(relation, by.version)) return true;
    return this.providesOf(by).some((provided) => {
      if (provided.name !== relation.name) return false;
      // Policy §7.5: what is provided without a version meets no relation that asks for one.
      return (
        relation.operator === undefined || (provided.version !== undefined && isVersionMet(relation, provided.version))
      );
    });
  }

  #isArchitectureMet(wanted: string | undefined, by: IndexedPackage): boolean {
    if (wanted === undefined || wanted === "native" || wanted === this.#architecture) return true;
    return wanted === "any" && fieldOf(by.control, "Multi-Arch") === "allowed";
  }

  providesOf(one: IndexedPackage): readonly Relation[] {
    if (one.provides === "") return [];
    const known = this.#provides.get(one);
    if (known !== undefined) return known;
    const provided = parseRelations(one.provides, `${one.index.name}: Provides of ${one.name}`).flat();
    this.#provides.set(one, provided);
    return provided;
  }

  relationsOf(one: IndexedPackage): PackageRelations {
    const known = this.#relations.get(one);
    if (known !== undefined) return known;
    const groups = (field: string): RelationGroup[] => {
      const value = fieldOf(one.control, field);
      return value === undefined ? [] : parseRelations(value, `${one.index.name}: ${field} of ${one.name}`);
    };
    const relations = {
      preDepends: groups("Pre-Depends"),
      depends: groups("Depends"),
      recommends: groups("Recommends"),
      conflicts: [...groups("Conflicts"), ...groups("Breaks")].flat(),
    };
    this.#relations.set(one, relations);
    return relations;
  }
}

/** apt's preference: the pin, then the version; of equal ones the source that is named first. */
function isPreferred(one: IndexedPackage, known: IndexedPackage): boolean {
  if (one.index.pin !== known.index.pin) return one.index.pin > known.index.pin;
  return compareVersions(one.version, known.version) > 0;
}

const priorities: readonly string[] = ["required", "important", "standard", "optional", "extra"];

function byPriority(a: IndexedPackage, b: IndexedPackage): number {
  if (a.isEssential !== b.isEssential) return a.isEssential ? -1 : 1;
  const rank = (one: IndexedPackage): number =>
    (priorities.indexOf(one.priority) + priorities.length + 1) % (priorities.length + 1);
  return rank(a) - rank(b) || (a.name < b.name ? -1 : 1);
}

/** A request `name=version` or `a | b`, as the group that it asks for. */
export function parseRequest(text: string): RelationGroup {
  const asField = text.replaceAll(/([^\s|=]+)=([^\s|]+)/g, "$1 (= $2)");
  try {
    const groups = parseRelations(asField, text);
    if (groups.length === 1 && groups[0] !== undefined) return groups[0];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
  throw new Failure("usage", `cannot install "${text}": it is no name of a package`, {
    hint: "give a name, name=version, or names with | between them",
  });
}
