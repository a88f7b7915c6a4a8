import { defineCommand, nothing, ok, whenSelected } from "../session/index.ts";

/** RFC 9051 §6.4.2: as CLOSE, and nothing is removed. */
export const unselect = defineCommand({
  name: "UNSELECT",
  states: whenSelected,
  announces: "nothing",
  parse: nothing,
  run(session) {
    session.unselect();
    return ok("Closed, nothing removed.");
  },
});
