import type { Credentials } from "../../connection.ts";
import { BadCommand } from "../grammar/index.ts";
import { type Answer, defineCommand, No, type Session } from "../session/index.ts";
import { logIn } from "./log-in.ts";

/** RFC 9051 §6.2.2, with an initial response (SASL-IR, RFC 4959). */
export const authenticate = defineCommand({
  name: "AUTHENTICATE",
  states: ["before-login"],
  parse(cursor) {
    cursor.space();
    const mechanism = cursor.atom().toUpperCase();
    if (!cursor.accept(" ")) return { mechanism };
    // A response that is empty is sent as "=".
    return { mechanism, initial: cursor.accept("=") ? "" : decodedBase64(cursor.astring()) };
  },
  async run(session, { mechanism, initial }): Promise<Answer> {
    const ask = mechanisms.get(mechanism);
    if (ask === undefined || (mechanism === "EXTERNAL" && !session.connection.allowsExternal)) {
      throw new No(`There is no mechanism of that name.`, "CANNOT");
    }
    return logIn(session, await ask(session, initial));
  },
});

type Ask = (session: Session, initial: string | undefined) => Promise<Credentials>;

const mechanisms: ReadonlyMap<string, Ask> = new Map<string, Ask>([
  ["PLAIN", plain],
  ["LOGIN", login],
  ["EXTERNAL", external],
]);

/** RFC 4616: whom to act as, who, and the password. */
async function plain(session: Session, initial: string | undefined): Promise<Credentials> {
  const [authorization = "", user = "", password, ...more] = (initial ?? (await asked(session, ""))).split("\0");
  if (password === undefined || more.length > 0) throw new BadCommand("that is not an answer to PLAIN");
  // Nobody acts for another here.
  if (authorization !== "" && authorization !== user) {
    throw new No("One may not act for another.", "AUTHORIZATIONFAILED");
  }
  return { kind: "password", user, password };
}

async function login(session: Session, initial: string | undefined): Promise<Credentials> {
  const user = initial ?? (await asked(session, "Username:"));
  return { kind: "password", user, password: await asked(session, "Password:") };
}

/** RFC 4422 appendix A. */
async function external(session: Session, initial: string | undefined): Promise<Credentials> {
  return { kind: "external", user: initial ?? (await asked(session, "")) };
}

async function asked(session: Session, question: string): Promise<string> {
  session.ask(Buffer.from(question).toString("base64"));
  const line = await session.whileWaiting(() => session.reader.line());
  if (line === undefined) throw new BadCommand("there was no answer");
  if (line === "*") throw new BadCommand("the client went back");
  return decodedBase64(line);
}

function decodedBase64(text: string): string {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) throw new BadCommand("that is not in base64");
  return Buffer.from(text, "base64").toString();
}
