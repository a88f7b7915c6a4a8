import type { GuardedConnection, ServeConnection } from "../connection.ts";
import { Authorization } from "./authorization.ts";
import { LineInput } from "./line-input.ts";
import { LineOutput } from "./line-output.ts";
import { Transaction } from "./transaction.ts";

export interface Pop3Options {
  readonly hostName: string;
  /** How long a client may be silent (RFC 1939 §3: no less than ten minutes). */
  readonly idleMs?: number;
}

const usualIdleMs = 10 * 60 * 1000;

/** POP3 (RFC 1939) with CAPA (2449), AUTH (5034), RESP-CODES (2449, 3206) and UTF8 (6856). */
export function servePop3({ hostName, idleMs = usualIdleMs }: Pop3Options): ServeConnection {
  return async (connection) => {
    const ways = { signal: connection.signal, idleMs };
    const input = new LineInput(connection.socket, ways);
    const output = new LineOutput(connection.socket, ways);
    output.line(`+OK ${hostName} POP3 is ready`);
    await talk(connection, input, output);
    await output.flush();
  };
}

async function talk(connection: GuardedConnection, input: LineInput, output: LineOutput): Promise<void> {
  const authorization = new Authorization(connection, input, output);
  let transaction: Transaction | undefined;
  for (;;) {
    // Answers to commands that came together leave together.
    if ((output.isFull || !input.hasLine) && !(await output.flush())) break;
    const line = await input.line();
    if (line === undefined) break;
    const { word, args } = parseCommand(line);
    if (transaction !== undefined) {
      if (!(await transaction.run(word, args))) break;
      continue;
    }
    const next = await authorization.run(word, args);
    if (next === "quit") break;
    if (next !== undefined) transaction = Transaction.open(next.store, output);
  }
  transaction?.[Symbol.dispose]();
}

/** `RETR 1`: the word in upper case. */
function parseCommand(line: string): { readonly word: string; readonly args: string } {
  const space = line.indexOf(" ");
  if (space === -1) return { word: line.toUpperCase(), args: "" };
  return { word: line.slice(0, space).toUpperCase(), args: line.slice(space + 1) };
}
