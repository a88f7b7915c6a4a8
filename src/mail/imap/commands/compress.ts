import { defineCommand, No, ok, whenLoggedIn } from "../session/index.ts";

/** RFC 4978: from the byte after the answer on, both sides send DEFLATE. */
export const compress = defineCommand({
  name: "COMPRESS",
  states: [...whenLoggedIn],
  announces: "nothing",
  parse(cursor) {
    cursor.space();
    return { algorithm: cursor.atom().toUpperCase() };
  },
  run(session, { algorithm }) {
    if (algorithm !== "DEFLATE") throw new No("There is only DEFLATE.", "CANNOT");
    if (session.isCompressed) throw new No("It is compressed already.", "COMPRESSIONACTIVE");
    return { ...ok("Compressed from here on."), afterwards: () => session.compress() };
  },
});
