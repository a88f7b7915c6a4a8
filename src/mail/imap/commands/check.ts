import { defineCommand, nothing, ok, whenSelected } from "../session/index.ts";

/** RFC 3501 §6.4.1; RFC 9051 dropped it. Everything is on disk when it is acknowledged. */
export const check = defineCommand({ name: "CHECK", states: whenSelected, parse: nothing, run: () => ok("Checked.") });
