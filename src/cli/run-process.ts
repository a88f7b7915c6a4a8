import { exitStatusOf, Failure } from "../base/index.ts";
import type { CommandContext, CommandIndex } from "./command.ts";
import { ClosedPipe, StreamOutput } from "./output.ts";

const interruptedStatus = 130;

/**
 * Runs one command to its end as this process's only work: it listens for signals, reports what was thrown,
 * and returns the exit status once all output has left. Throws nothing.
 */
export async function runProcess(
  commands: CommandIndex,
  work: (context: CommandContext) => Promise<void>,
): Promise<number> {
  const interrupt = new AbortController();
  const terminal = new LentTerminal();
  listenForSignals(interrupt, terminal);
  const context: CommandContext = {
    stdout: new StreamOutput(process.stdout, process.env),
    stderr: new StreamOutput(process.stderr, process.env),
    env: process.env,
    signal: interrupt.signal,
    lendTerminal: (lentTo) => terminal.lend(lentTo),
    commands,
  };
  try {
    await work(context);
    await context.stdout.flush();
    await context.stderr.flush();
    return 0;
  } catch (error) {
    // A reader that has seen enough is no error: `holdfast disk ls -R big:/ | head` did what was asked.
    if (error instanceof ClosedPipe) return 0;
    return report(error, context);
  }
}

/** The first signal asks the work to stop and clean up, the second does not wait for that. */
function listenForSignals(interrupt: AbortController, terminal: LentTerminal): void {
  const onSignal = (signal: NodeJS.Signals): void => {
    if (signal === "SIGINT" && terminal.isLent) return;
    if (interrupt.signal.aborted) process.exit(interruptedStatus);
    interrupt.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
}

/** Whether another program has the terminal, and Ctrl-C with it. */
class LentTerminal {
  isLent = false;

  async lend<T>(work: () => Promise<T>): Promise<T> {
    this.isLent = true;
    try {
      return await work();
    } finally {
      this.isLent = false;
    }
  }
}

async function report(error: unknown, context: CommandContext): Promise<number> {
  const { stdout, stderr, env, signal } = context;
  const isInterrupted = signal.aborted && (!(error instanceof Failure) || error.code === "interrupted");
  const lines = isInterrupted && !(error instanceof Failure) ? ["interrupted"] : errorLines(error, env);
  const [message = "", ...others] = lines;
  try {
    await stdout.flush();
  } catch {
    // The message is still wanted where the results have nowhere to go.
  }
  try {
    await stderr.write(`${stderr.style("red", "holdfast:")} ${message}\n`);
    for (const line of others) await stderr.write(`${line}\n`);
    await stderr.flush();
  } catch {
    // Nobody listens any more; the status still says what happened.
  }
  return isInterrupted ? interruptedStatus : exitStatusOf(error);
}

function errorLines(error: unknown, env: NodeJS.ProcessEnv): string[] {
  const isDebugging = env["HOLDFAST_DEBUG"] === "1";
  const stack = isDebugging && error instanceof Error ? [describeStack(error)] : [];
  if (error instanceof Failure) {
    return [oneLine(error.message), ...(error.hint === undefined ? [] : [`hint: ${oneLine(error.hint)}`]), ...stack];
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const hint = "this is a bug in holdfast; please report it with what HOLDFAST_DEBUG=1 prints";
  return [`internal error: ${oneLine(message)}`, `hint: ${hint}`, ...stack];
}

function describeStack(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${describeStack(error.cause)}` : "";
  return `${error.stack ?? String(error)}${cause}`;
}

/** Names from the outside may hold anything, also line ends and terminal codes; an error stays one line. */
function oneLine(message: string): string {
  return message.replace(/\p{Cc}/gu, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
