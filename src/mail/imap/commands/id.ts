import { BadCommand } from "../grammar/index.ts";
import { always, defineCommand, ok } from "../session/index.ts";

// RFC 2971 §3.3 sets these for the client.
const mostFields = 30;
const longestName = 30;
const longestValue = 1024;

/** RFC 2971: who the other side is. What the client says of itself is not used. */
export const id = defineCommand({
  name: "ID",
  states: always,
  parse(cursor) {
    cursor.space();
    if (cursor.accept("NIL")) return {};
    let fields = 0;
    const field = (): void => {
      const name = cursor.string();
      cursor.space();
      const value = cursor.nstring() ?? "";
      if (name.length > longestName || value.length > longestValue || ++fields > mostFields) {
        throw new BadCommand("what is said of the client is too long");
      }
    };
    cursor.list(field, { mayBeEmpty: true });
    return {};
  },
  run(session) {
    session.write('* ID ("name" "Holdfast")\r\n');
    return ok("Pleased.");
  },
});
