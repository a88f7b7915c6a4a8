import type { Cursor, NameForm } from "../grammar/index.ts";
import type { Answer } from "./answer.ts";
import type { Session, SessionState } from "./session.ts";

export interface ParseContext extends NameForm {
  /** Whether it is the UID form of the command. */
  readonly isByUid: boolean;
}

/**
 * What may be told before the answer to a command. EXPUNGE never while a command with message numbers runs, but for
 * those that remove messages (RFC 9051 §7.5.1); the UID forms of the same commands may have it.
 */
export type Announcing = "nothing" | "all-but-expunges" | "all";

/** A command: what it is called, when it is allowed, how it is read, what it does. */
export interface CommandDefinition<Arguments> {
  readonly name: string;
  readonly hasUidForm?: boolean;
  readonly states: readonly SessionState[];
  /** Without it everything is told. */
  readonly announces?: Announcing;
  /** From the space after the name on; what is left over is a mistake. */
  readonly parse: (cursor: Cursor, context: ParseContext) => Arguments;
  readonly run: (session: Session, given: Arguments & { readonly isByUid: boolean }) => Answer | Promise<Answer>;
}

/** A command of which nobody needs to know the arguments. */
export interface Command {
  readonly name: string;
  readonly states: readonly SessionState[];
  readonly announces: Announcing;
  /** Reads the arguments; what is given back does the work. */
  readonly prepare: (cursor: Cursor, form: NameForm) => (session: Session) => Answer | Promise<Answer>;
}

export function defineCommand<Arguments extends object>(definition: CommandDefinition<Arguments>): readonly Command[] {
  const { name, states, hasUidForm = false } = definition;
  const form = (isByUid: boolean): Command => ({
    name: isByUid ? `UID ${name}` : name,
    states,
    announces: isByUid ? "all" : (definition.announces ?? "all"),
    prepare(cursor, nameForm) {
      const given = { ...definition.parse(cursor, { ...nameForm, isByUid }), isByUid };
      cursor.end();
      return (session) => definition.run(session, given);
    },
  });
  return hasUidForm ? [form(false), form(true)] : [form(false)];
}

/** For commands without arguments. */
export function nothing(): object {
  return {};
}

export const whenLoggedIn: readonly SessionState[] = ["logged-in", "selected"];
export const whenSelected: readonly SessionState[] = ["selected"];
export const always: readonly SessionState[] = ["before-login", "logged-in", "selected"];
