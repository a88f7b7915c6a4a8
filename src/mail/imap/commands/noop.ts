import { always, defineCommand, nothing, ok } from "../session/index.ts";

/** RFC 9051 §6.1.2: news are told, as with every command. */
export const noop = defineCommand({ name: "NOOP", states: always, parse: nothing, run: () => ok("Nothing done.") });
