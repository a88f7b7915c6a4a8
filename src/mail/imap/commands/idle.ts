import { BadCommand } from "../grammar/index.ts";
import { type Answer, defineCommand, nothing, ok, type Session, whenLoggedIn } from "../session/index.ts";

/** RFC 9051 §6.3.13 (RFC 2177): news are told as they come, until the client says DONE. */
export const idle = defineCommand({
  name: "IDLE",
  states: whenLoggedIn,
  parse: nothing,
  async run(session): Promise<Answer> {
    session.ask("idling");
    let line: string | undefined;
    try {
      line = await session.whileWaiting(() => watching(session));
    } catch (error) {
      // The line that ends it is still waited for, so that no other command can be.
      session.endAfterAnswer("The mailbox cannot be watched any longer.");
      throw error;
    }
    if (line?.toUpperCase() !== "DONE") throw new BadCommand("IDLE ends with DONE");
    return ok("No longer idle.");
  },
});

/** Tells news until a line comes. */
async function watching(session: Session): Promise<string | undefined> {
  const waiting = new Waiting();
  using watch = session.state === "selected" ? session.selected.mailbox.watch(() => waiting.noteNews()) : undefined;
  const keepAlive = setInterval(() => say(session, "* OK Still here.\r\n"), session.limits.keepAliveMs);
  const line = session.reader.line();
  const ended = line.finally(() => waiting.end());
  try {
    while (await waiting.hasNews()) {
      if (watch === undefined) continue;
      say(session, session.selected.sync(session.telling, { mayExpunge: true }));
      await session.output.drained();
    }
  } finally {
    clearInterval(keepAlive);
  }
  return await ended;
}

/** For news, of which there may be some since the command before, or for the end. */
class Waiting {
  #hasNews = true;
  #isEnded = false;
  #wake = (): void => {};

  noteNews(): void {
    this.#hasNews = true;
    this.#wake();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  /** Waits; false at the end. */
  async hasNews(): Promise<boolean> {
    while (!this.#hasNews && !this.#isEnded) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    this.#hasNews = false;
    return !this.#isEnded;
  }
}

function say(session: Session, lines: string): void {
  if (lines === "") return;
  session.write(lines);
  session.output.flush();
}
