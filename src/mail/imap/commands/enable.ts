import { defineCommand, type Extension, ok, whenLoggedIn } from "../session/index.ts";

const extensions: readonly Extension[] = ["CONDSTORE", "QRESYNC", "UTF8=ACCEPT", "IMAP4rev2"];

/** RFC 9051 §6.3.1: what is not known is passed over. */
export const enable = defineCommand({
  name: "ENABLE",
  states: whenLoggedIn,
  parse(cursor) {
    const names: string[] = [];
    do {
      cursor.space();
      names.push(cursor.atom().toUpperCase());
    } while (!cursor.isAtEnd);
    return { names };
  },
  run(session, { names }) {
    const wanted = extensions.filter((extension) => names.includes(extension.toUpperCase()));
    const added = wanted.filter((extension) => !session.enabled.has(extension));
    if (added.includes("CONDSTORE") || added.includes("QRESYNC")) session.useModSeqs();
    for (const extension of added) session.enabled.add(extension);
    session.write(`* ENABLED${added.map((extension) => ` ${extension}`).join("")}\r\n`);
    return ok("Enabled.");
  },
});
