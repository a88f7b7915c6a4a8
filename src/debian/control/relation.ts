import { Failure } from "../../base/index.ts";
import { compareVersions, isVersion } from "./version.ts";

type VersionOperator = "<<" | "<=" | "=" | ">=" | ">>";

/** One package that a relationship field names: `python3:any (>= 3.11)`. */
export interface Relation {
  readonly name: string;
  /** What stands behind a colon: `any`, `native` or an architecture. */
  readonly architecture?: string;
  readonly operator?: VersionOperator;
  readonly version?: string;
}

/** Alternatives, of which one is enough: `a | b`. */
export type RelationGroup = readonly Relation[];

/** Policy §7.1, with what builds allow behind it, `[amd64]` and `<!nocheck>`, left out. */
const relationPattern =
  /^\s*([A-Za-z0-9][A-Za-z0-9+.-]*)(?::([a-z0-9-]+))?\s*(?:\(\s*(<<|<=|=|>=|>>|<|>)\s*([^\s()]+)\s*\))?\s*$/;

/** `<` and `>` are old spellings that mean `<=` and `>=` (policy §7.1). */
const oldOperators: Readonly<Record<string, VersionOperator>> = { "<": "<=", ">": ">=" };

/** The groups of a field such as Depends; all of them are to be met. `name` says in errors whose field it is. */
export function parseRelations(field: string, name: string): RelationGroup[] {
  return field
    .split(",")
    .filter((group) => group.trim() !== "")
    .map((group) => group.split("|").map((text) => parseRelation(text, name)));
}

function parseRelation(text: string, name: string): Relation {
  const [, packageName, architecture, sign, version] = relationPattern.exec(text) ?? [];
  if (packageName === undefined || (version !== undefined && !isVersion(version))) {
    throw new Failure("damaged", `cannot read "${name}": "${text.trim()}" names no package`);
  }
  if (sign === undefined || version === undefined) return { name: packageName, ...optional(architecture) };
  const operator = oldOperators[sign] ?? (sign as VersionOperator);
  return { name: packageName, ...optional(architecture), operator, version };
}

function optional(architecture: string | undefined): { readonly architecture?: string } {
  return architecture === undefined ? {} : { architecture };
}

/** Whether a version is one that the relation asks for. */
export function isVersionMet(relation: Relation, version: string): boolean {
  if (relation.operator === undefined || relation.version === undefined) return true;
  const order = compareVersions(version, relation.version);
  switch (relation.operator) {
    case "<<":
      return order < 0;
    case "<=":
      return order <= 0;
    case "=":
      return order === 0;
    case ">=":
      return order >= 0;
    default:
      return order > 0;
  }
}

/** As a field has it. */
function relationText(relation: Relation): string {
  const architecture = relation.architecture === undefined ? "" : `:${relation.architecture}`;
  const version = relation.operator === undefined ? "" : ` (${relation.operator} ${relation.version ?? ""})`;
  return `${relation.name}${architecture}${version}`;
}

/** As a field has it, with `|` between the alternatives. */
export function groupText(group: RelationGroup): string {
  return group.map(relationText).join(" | ");
}
