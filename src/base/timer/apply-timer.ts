import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { Failure } from "../failure.ts";
import { OutputFile, systemReason } from "../output-file.ts";
import { findProgram } from "../program.ts";
import { shellWord } from "../shell-word.ts";
import type { TimerCommand, TimerSteps } from "./timer-steps.ts";

/** systemd itself says what it does not understand, before anything is written. */
export async function refuseCalendar({
  at,
  env,
}: {
  readonly at: string;
  readonly env: NodeJS.ProcessEnv;
}): Promise<void> {
  const program = findProgram("systemd-analyze", env);
  if (program === undefined || /^\d?\d:\d\d$/.test(at)) return;
  const { status } = await runProgram({ words: [program, "calendar", "--", at] }, env);
  if (status === 0) return;
  throw new Failure("usage", `cannot run anything at "${at}": systemd does not understand that`, {
    hint: 'write 03:00, or what systemd.time(7) calls a calendar event: "Mon *-*-* 03:00", weekly',
  });
}

/** Writes, removes and runs. A file of somebody else's that is in the way is refused. */
export async function applyTimer(steps: TimerSteps, env: NodeJS.ProcessEnv): Promise<void> {
  for (const file of [...steps.files.map(({ path: one }) => one), ...steps.removed]) refuseForeign(file);
  for (const command of steps.first) await runStep(command, env);
  for (const file of steps.removed) removeFile(file);
  for (const { path: file, text } of steps.files) await writeUnit(file, text);
  for (const command of steps.commands) await runStep(command, env);
}

async function runStep(command: TimerCommand, env: NodeJS.ProcessEnv): Promise<void> {
  const { status, said } = await runProgram(command, env);
  if (status === 0 || command.mayFail === true) return;
  const words = command.words.map(shellWord).join(" ");
  throw new Failure("failed", `cannot finish: "${words}" ended with ${status}`, said === "" ? {} : { hint: said });
}

function refuseForeign(file: string): void {
  const text =
    fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true ? fs.readFileSync(file, "utf8") : undefined;
  if (text === undefined || /^# (?:\S+: )?made by holdfast /im.test(text)) return;
  throw new Failure("refused", `cannot replace "${file}": it was not made by this program`);
}

function removeFile(file: string): void {
  try {
    fs.rmSync(file, { force: true });
  } catch (error) {
    throw new Failure("failed", `cannot remove "${file}": ${systemReason(error)}`, {
      cause: error,
      ...rootHint(error),
    });
  }
}

async function writeUnit(file: string, text: string): Promise<void> {
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    await using output = OutputFile.create(file, { force: true, mode: 0o644 });
    fs.writeSync(output.fd, text);
    output.commit();
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("failed", `cannot write "${file}": ${systemReason(error)}`, { cause: error });
  }
}

function rootHint(error: unknown): { readonly hint?: string } {
  return error instanceof Error && "code" in error && error.code === "EACCES"
    ? { hint: "the system's timers need root" }
    : {};
}

/** A user's table of cron; empty where there is none. */
export async function readCrontab(env: NodeJS.ProcessEnv): Promise<string> {
  if (findProgram("crontab", env) === undefined) {
    throw new Failure("not-found", "cannot have anything run: there is neither systemd nor cron", {
      hint: "--output DIR writes the files elsewhere",
    });
  }
  const { status, out } = await runProgram({ words: ["crontab", "-l"] }, env);
  return status === 0 ? out : "";
}

interface ProgramEnd {
  readonly status: number;
  readonly out: string;
  /** The last line that it complained of. */
  readonly said: string;
}

async function runProgram({ words, input }: TimerCommand, env: NodeJS.ProcessEnv): Promise<ProgramEnd> {
  const [name = "", ...args] = words;
  const program = findProgram(name, env) ?? name;
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env });
  const texts = { out: "", error: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (texts.out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (texts.error += text));
  child.stdin.on("error", () => undefined); // its status tells
  child.stdin.end(input ?? "");
  try {
    const [status] = (await once(child, "close")) as [number | null];
    return { status: status ?? 1, out: texts.out, said: texts.error.trim().split("\n").at(-1) ?? "" };
  } catch (error) {
    throw new Failure("failed", `cannot start ${name}: ${systemReason(error)}`, { cause: error });
  }
}
