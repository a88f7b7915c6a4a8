import { defineCommand } from "../session/index.ts";
import { logIn } from "./log-in.ts";

/** RFC 9051 §6.2.3. */
export const login = defineCommand({
  name: "LOGIN",
  states: ["before-login"],
  parse(cursor) {
    cursor.space();
    const user = cursor.decoded(cursor.astring());
    cursor.space();
    return { user, password: cursor.decoded(cursor.astring()) };
  },
  run: (session, { user, password }) => logIn(session, { kind: "password", user, password }),
});
