import { always, defineCommand, nothing, ok } from "../session/index.ts";

/** RFC 9051 §6.1.1. */
export const capability = defineCommand({
  name: "CAPABILITY",
  states: always,
  parse: nothing,
  run(session) {
    session.write(`* CAPABILITY ${session.capabilities.join(" ")}\r\n`);
    return ok("These.");
  },
});
