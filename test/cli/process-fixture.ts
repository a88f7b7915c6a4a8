/** A process whose work is named by its first word, for the tests of `runProcess`. */
import { Failure } from "../../src/base/index.ts";
import type { CommandContext } from "../../src/cli/command.ts";
import { runProcess } from "../../src/cli/run-process.ts";

const works: Readonly<Record<string, (context: CommandContext) => Promise<void>>> = {
  async "print-much"({ stdout }) {
    for (let line = 0; line < 200_000; line++) await stdout.write(`line ${line} of many that fill the pipe\n`);
  },
  async "print-endlessly"({ stdout }) {
    for (;;) await stdout.write(new Uint8Array(65536));
  },
  async "stop-when-asked"({ stdout, signal }) {
    await stdout.write("ready\n");
    await stdout.flush();
    const alive = setInterval(() => undefined, 1000);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    clearInterval(alive);
    throw new Failure("interrupted", "interrupted");
  },
  async "never-stop"({ stdout, signal }) {
    signal.addEventListener("abort", () => void stdout.write("asked\n").then(() => stdout.flush()));
    await stdout.write("ready\n");
    await stdout.flush();
    await new Promise(() => setInterval(() => undefined, 1000));
  },
  async bug() {
    throw new TypeError("undefined is not\na function");
  },
  async refuse() {
    const cause = new Error("the cause");
    throw new Failure("refused", 'cannot open "a\u001b[2Jb": no', { hint: "do not", cause });
  },
  async "print-then-fail"({ stdout }) {
    await stdout.write("first\n");
    throw new Failure("damaged", "then this");
  },
};

process.exitCode = await runProcess(
  { groups: [], entries: [] },
  works[process.argv[2] ?? ""] ?? (async () => undefined),
);
