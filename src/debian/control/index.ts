export { groupText, isVersionMet, parseRelations, type Relation, type RelationGroup } from "./relation.ts";
export { fieldOf, parseStanza, parseStanzas, type Stanza } from "./stanza.ts";
export { compareVersions } from "./version.ts";
