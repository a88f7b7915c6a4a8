import { Failure } from "../../../base/index.ts";
import type { Credentials } from "../../connection.ts";
import { humanText } from "../grammar/index.ts";
import { type Answer, No, ok, type Session } from "../session/index.ts";

/** Asks the guard to let the user in, for LOGIN and AUTHENTICATE. */
export async function logIn(session: Session, credentials: Credentials): Promise<Answer> {
  try {
    session.letIn(await session.connection.logIn(credentials));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    session.failedLogins += 1;
    if (session.failedLogins >= session.limits.failedLogins) session.endAfterAnswer("Too many logins were refused.");
    if (error.code !== "refused") throw new No(humanText(error.message), "UNAVAILABLE");
    throw new No("The certificate, the name or the password does not match.", "AUTHENTICATIONFAILED");
  }
  return ok("Logged in.", `CAPABILITY ${session.capabilities.join(" ")}`);
}
