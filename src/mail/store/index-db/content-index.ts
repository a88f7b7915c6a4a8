import type { MessageStructure } from "../../message/index.ts";
import type { IndexDatabase } from "./index-database.ts";

/** Structures of messages, by what identifies their content: copies share theirs. */
export function structuresOf(
  database: IndexDatabase,
  emailIds: readonly string[],
): ReadonlyMap<string, MessageStructure> {
  const structures = new Map<string, MessageStructure>();
  const sql =
    "SELECT contents.emailId, structure FROM json_each(?) AS wanted JOIN contents ON contents.emailId = wanted.value";
  for (const row of database.all(sql, JSON.stringify(emailIds))) {
    const { emailId, structure } = row;
    if (typeof structure === "string") structures.set(String(emailId), JSON.parse(structure) as MessageStructure);
  }
  return structures;
}

export function keepStructures(
  database: IndexDatabase,
  structures: readonly (readonly [emailId: string, structure: MessageStructure])[],
): void {
  if (structures.length === 0) return;
  const sql =
    "INSERT INTO contents (emailId, structure) VALUES (?, ?) ON CONFLICT (emailId) DO UPDATE SET structure = excluded.structure";
  database.transaction(() => {
    for (const [emailId, structure] of structures) database.run(sql, emailId, JSON.stringify(structure));
  });
}
