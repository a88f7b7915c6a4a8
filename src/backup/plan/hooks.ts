import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { Failure, stopIfAborted } from "../../base/index.ts";

export interface HookOptions {
  readonly limitMs: number;
  /** What the command finds in its environment. */
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

/** Of what a command says, this much is kept for the message. */
const keptLength = 4096;
/** How long a command that was asked to end may take for that. */
const graceMs = 5000;
const lastWordsMs = 200;

/** Runs a command by the shell, without any input. Throws `failed`, with the last line that it said, unless it ends with status 0. */
export async function runHook(command: string, options: HookOptions): Promise<void> {
  const { status, said, isOverdue } = await runShell(command, options);
  stopIfAborted(options.signal);
  if (status === 0) return;
  const lastLine = said.trimEnd().split("\n").at(-1)?.trim() ?? "";
  const why = isOverdue ? `it took longer than ${options.limitMs / 1000} s` : `it ended with ${status}`;
  throw new Failure("failed", `cannot go on after "${command}": ${why}`, lastLine === "" ? {} : { hint: lastLine });
}

/** Whether a command ends with status 0. */
export async function holds(command: string, options: HookOptions): Promise<boolean> {
  const { status } = await runShell(command, options);
  stopIfAborted(options.signal);
  return status === 0;
}

interface ShellEnd {
  readonly status: number | string;
  readonly said: string;
  readonly isOverdue: boolean;
}

/** In a process group of its own, so that what it has started ends with it. */
async function runShell(command: string, { limitMs, env, signal }: HookOptions): Promise<ShellEnd> {
  stopIfAborted(signal);
  const child = spawn("/bin/sh", ["-c", command], { stdio: ["ignore", "pipe", "pipe"], env, detached: true });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => (said = (said + text).slice(-keptLength)));
  }
  let isOverdue = false;
  const timers: NodeJS.Timeout[] = [];
  const stop = (): void => {
    kill(child.pid, "SIGTERM");
    timers.push(setTimeout(kill, graceMs, child.pid, "SIGKILL"));
  };
  timers.push(
    setTimeout(() => {
      isOverdue = true;
      stop();
    }, limitMs),
  );
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const [status, by] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    await lastWords(child);
    return { status: status ?? by ?? "no status", said, isOverdue };
  } catch (error) {
    throw new Failure("failed", `cannot start "${command}": there is no shell`, { cause: error });
  } finally {
    for (const timer of timers) clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

/** What it has said until its end is read; what it left in the background may keep its output open, and is not waited for. */
async function lastWords({ stdout, stderr }: ChildProcessByStdio<null, Readable, Readable>): Promise<void> {
  const closed = Promise.all([stdout, stderr].map(async (stream) => stream.closed || (await once(stream, "close"))));
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, lastWordsMs).unref())]);
  stdout.destroy();
  stderr.destroy();
}

function kill(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // it has ended meanwhile
  }
}
