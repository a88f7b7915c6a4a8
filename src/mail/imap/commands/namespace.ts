import { defineCommand, nothing, ok, whenLoggedIn } from "../session/index.ts";

/** RFC 9051 §6.3.10: one's own mail, without a prefix; nobody else's. */
export const namespace = defineCommand({
  name: "NAMESPACE",
  states: whenLoggedIn,
  parse: nothing,
  run(session) {
    session.write('* NAMESPACE (("" "/")) NIL NIL\r\n');
    return ok("Those.");
  },
});
