import type { GuardedConnection, ServeConnection } from "../connection.ts";
import { commands } from "./commands/index.ts";
import { BadCommand, Cursor, humanText } from "./grammar/index.ts";
import { type ImapLimits, imapLimits } from "./limits.ts";
import { type Answer, answerOf, answerText, type Command, Session } from "./session/index.ts";
import { PeerGone, type ReceivedCommand } from "./wire/index.ts";

export interface ImapServerOptions {
  readonly limits?: Partial<ImapLimits>;
  readonly now?: () => number;
}

/** A server of IMAP4rev1 and IMAP4rev2 for connections that the guard let through. */
export function imapServer({ limits, now = () => new Date().getTime() }: ImapServerOptions = {}): ServeConnection {
  const allLimits = { ...imapLimits, ...limits };
  return (connection) => serveConnection(new Session({ connection, limits: allLimits, now }), connection);
}

export const serveImap: ServeConnection = imapServer();

async function serveConnection(session: Session, { socket, signal }: GuardedConnection): Promise<void> {
  const stop = (): void => session.cut(signal.reason instanceof Error ? signal.reason.message : String(signal.reason));
  signal.addEventListener("abort", stop);
  const login = setTimeout(() => {
    if (session.state === "before-login") session.cut("Nobody logged in.");
  }, session.limits.loginMs);
  // A bug in one command does not take the connection from the client; it is thrown in the end.
  const bugs: unknown[] = [];
  try {
    if (signal.aborted) stop();
    session.write(`* OK [CAPABILITY ${session.capabilities.join(" ")}] Holdfast ready.\r\n`);
    await converse(session, bugs);
  } catch (error) {
    if (!(error instanceof PeerGone)) bugs.push(error);
  } finally {
    clearTimeout(login);
    signal.removeEventListener("abort", stop);
    session.close();
    socket.destroy();
  }
  if (bugs.length > 0) throw bugs[0];
}

async function converse(session: Session, bugs: unknown[]): Promise<void> {
  let badInARow = 0;
  while (!session.isEnded) {
    session.output.flush();
    await session.output.drained();
    const received = await session.whileWaiting(() => session.reader.next());
    if (received === undefined) break;
    let status: string;
    if (received.kind === "refused") {
      status = received.status;
      session.write(`${received.tag} ${status} ${received.text}\r\n`);
    } else {
      status = await answer(session, received, bugs);
    }
    badInARow = status === "BAD" ? badInARow + 1 : 0;
    if (badInARow >= session.limits.badCommands) session.endAfterAnswer("Too many commands that make no sense.");
    if (session.farewell !== undefined) session.cut(session.farewell);
  }
  await session.output.end();
}

/** Runs one command, and says how it went. */
async function answer(session: Session, received: ReceivedCommand, bugs: unknown[]): Promise<Answer["status"]> {
  session.tag = received.tag;
  const command = commands.get(received.name);
  const given = await attempt(() => run(session, command, received), bugs);
  if (command !== undefined && session.state === "selected") tellNews(session, command, bugs);
  session.write(answerText(received.tag, given));
  given.afterwards?.();
  return given.status;
}

function tellNews(session: Session, { announces }: Command, bugs: unknown[]): void {
  if (announces === "nothing") return;
  try {
    session.write(session.selected.sync(session.telling, { mayExpunge: announces === "all" }));
  } catch (error) {
    // A mailbox that another deleted, for instance: what the client knows of it is worth nothing (RFC 2180 §3.3).
    const known = answerOf(error);
    if (known === undefined) bugs.push(error);
    session.endAfterAnswer(known?.text ?? "The mailbox cannot be read.");
  }
}

async function run(session: Session, command: Command | undefined, { name, text }: ReceivedCommand): Promise<Answer> {
  if (command === undefined) throw new BadCommand(`there is no command ${name}`);
  if (!command.states.includes(session.state))
    throw new BadCommand(`${name} is not possible ${when(session, command)}`);
  return command.prepare(new Cursor(text, session.limits), session.nameForm)(session);
}

async function attempt(work: () => Promise<Answer>, bugs: unknown[]): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PeerGone) throw error;
    const known = answerOf(error);
    if (known !== undefined) return known;
    bugs.push(error);
    const text = error instanceof Error ? humanText(error.message) : "unknown";
    return { status: "NO", code: "SERVERBUG", text: `This is a mistake of the server: ${text}` };
  }
}

function when({ state }: Session, { states }: Command): string {
  if (state === "before-login") return "before login";
  return states.includes("selected") ? "before a mailbox is selected" : "after login";
}
