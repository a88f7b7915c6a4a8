import { always, defineCommand, nothing, ok } from "../session/index.ts";

/** RFC 9051 §6.1.3. */
export const logout = defineCommand({
  name: "LOGOUT",
  states: always,
  announces: "nothing",
  parse: nothing,
  run(session) {
    session.write("* BYE Until next time.\r\n");
    session.isEnded = true;
    return ok("Logged out.");
  },
});
