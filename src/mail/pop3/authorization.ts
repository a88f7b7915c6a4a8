import { Failure } from "../../base/index.ts";
import type { Credentials, GuardedConnection, LoggedIn } from "../connection.ts";
import { capabilities } from "./capabilities.ts";
import type { LineInput } from "./line-input.ts";
import type { LineOutput } from "./line-output.ts";

/** What a client may say before it has logged in (RFC 1939 §4). */
export class Authorization {
  readonly #connection: GuardedConnection;
  readonly #input: LineInput;
  readonly #output: LineOutput;
  #user: string | undefined;

  constructor(connection: GuardedConnection, input: LineInput, output: LineOutput) {
    this.#connection = connection;
    this.#input = input;
    this.#output = output;
  }

  /** Gives the user once one is let in; `quit` where the connection is to end. */
  async run(word: string, args: string): Promise<LoggedIn | "quit" | undefined> {
    const say = (text: string): undefined => {
      this.#output.line(text);
    };
    switch (word) {
      case "CAPA":
        for (const line of ["+OK", ...capabilities(this.#connection.allowsExternal), "."]) say(line);
        return undefined;
      case "USER":
        if (args === "") return say("-ERR a name is needed");
        this.#user = args;
        return say("+OK");
      case "PASS": {
        const user = this.#user;
        this.#user = undefined;
        // All behind the first space is the password, spaces too (RFC 1939 §7).
        return user === undefined
          ? say("-ERR USER comes first")
          : this.#logIn({ kind: "password", user, password: args });
      }
      case "AUTH":
        return this.#authenticate(args);
      case "UTF8":
        return say("+OK"); // messages are sent as they are in any case
      case "QUIT":
        say("+OK");
        return "quit";
      default:
        return say("-ERR there is no such command before the login");
    }
  }

  /** RFC 5034 §4 */
  async #authenticate(args: string): Promise<LoggedIn | "quit" | undefined> {
    const [mechanism = "", initial] = args.split(" ");
    if (args === "") {
      for (const line of ["+OK", "PLAIN", "LOGIN", ...(this.#connection.allowsExternal ? ["EXTERNAL"] : []), "."]) {
        this.#output.line(line);
      }
      return undefined;
    }
    switch (mechanism.toUpperCase()) {
      case "PLAIN": {
        const response = await this.#response("", initial);
        const [, user, password, ...rest] = response?.split("\0") ?? [];
        if (user === undefined || password === undefined || rest.length > 0) return this.#badResponse(response);
        return this.#logIn({ kind: "password", user, password });
      }
      case "LOGIN": {
        const user = await this.#response("VXNlcm5hbWU6", initial);
        const password = user === undefined ? undefined : await this.#response("UGFzc3dvcmQ6");
        if (user === undefined || password === undefined) return this.#badResponse(undefined);
        return this.#logIn({ kind: "password", user, password });
      }
      case "EXTERNAL": {
        const user = await this.#response("", initial);
        return user === undefined ? this.#badResponse(user) : this.#logIn({ kind: "external", user });
      }
      default:
        this.#output.line("-ERR that mechanism is not known");
        return undefined;
    }
  }

  #badResponse(response: string | undefined): undefined {
    this.#output.line(response === undefined ? "-ERR cancelled" : "-ERR that response cannot be read");
    return undefined;
  }

  /** What the client answers to a challenge; undefined where it breaks off. */
  async #response(challenge: string, initial?: string): Promise<string | undefined> {
    let text = initial;
    if (text === undefined) {
      this.#output.line(`+ ${challenge}`);
      text = (await this.#output.flush()) ? await this.#input.line() : undefined;
    }
    if (text === undefined || text === "*" || !/^[\w+/]*={0,2}$/.test(text)) return undefined;
    return Buffer.from(text, "base64").toString("utf8");
  }

  async #logIn(credentials: Credentials): Promise<LoggedIn | undefined> {
    try {
      return await this.#connection.logIn(credentials);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#output.line(
        error.code === "refused" ? "-ERR [AUTH] user, password or certificate do not fit" : "-ERR [SYS/TEMP] not now",
      );
      return undefined;
    }
  }
}
