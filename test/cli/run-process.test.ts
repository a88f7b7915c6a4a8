import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { startScript, transcriptOf } from "./run-holdfast.ts";

const fixture = path.join(import.meta.dirname, "process-fixture.ts");
const start = (work: string, env?: Record<string, string>) => startScript(fixture, [work], env);

test("large output through a pipe is complete", async () => {
  const { stdout, status } = await transcriptOf(start("print-much"));
  const lines = stdout.split("\n");
  assert.equal(lines.length, 200_001);
  assert.equal(lines.at(-2), "line 199999 of many that fill the pipe");
  assert.equal(status, 0);
});

test("a reader that goes away ends the process quietly", async () => {
  const child = start("print-endlessly");
  child.stdout.once("data", () => child.stdout.destroy());
  const { stderr, status } = await transcriptOf(child);
  assert.equal(stderr, "");
  assert.equal(status, 0);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} stops the work and exits 130`, async () => {
    const child = start("stop-when-asked");
    child.stdout.once("data", () => child.kill(signal));
    const { stderr, status } = await transcriptOf(child);
    assert.equal(stderr, "holdfast: interrupted\n");
    assert.equal(status, 130);
  });
}

test("a second SIGINT does not wait", async () => {
  const child = start("never-stop");
  const done = transcriptOf(child);
  await once(child.stdout, "data");
  child.kill("SIGINT");
  await once(child.stdout, "data");
  child.kill("SIGINT");
  assert.equal((await done).status, 130);
});

test("an unexpected error is called a bug, on two lines", async () => {
  const { stderr, status } = await transcriptOf(start("bug"));
  assert.equal(
    stderr,
    String.raw`holdfast: internal error: TypeError: undefined is not\x0aa function
hint: this is a bug in holdfast; please report it with what HOLDFAST_DEBUG=1 prints
`,
  );
  assert.equal(status, 1);
});

test("a failure is one line and a hint, without codes for the terminal", async () => {
  const { stderr, status } = await transcriptOf(start("refuse"));
  assert.equal(stderr, 'holdfast: cannot open "a\\x1b[2Jb": no\nhint: do not\n');
  assert.equal(status, 4);
});

test("HOLDFAST_DEBUG=1 adds the stack and the cause", async () => {
  const { stderr, status } = await transcriptOf(start("refuse", { HOLDFAST_DEBUG: "1" }));
  assert.match(stderr, /hint: do not\nFailure: cannot open [^]*process-fixture\.ts[^]*caused by Error: the cause/);
  assert.equal(status, 4);
});

test("what was printed before a failure is not lost", async () => {
  const { stdout, stderr, status } = await transcriptOf(start("print-then-fail"));
  assert.equal(stdout, "first\n");
  assert.equal(stderr, "holdfast: then this\n");
  assert.equal(status, 3);
});

const fullDevice = "/dev/full";
const skip = fs.existsSync(fullDevice) ? false : `no ${fullDevice}`;

for (const { work, says, status } of [
  { work: "print-much", says: "cannot write to standard output: no space left on device", status: 1 },
  { work: "print-then-fail", says: "then this", status: 3 },
]) {
  test(`a full disk behind standard output is no bug: ${work}`, { skip }, async () => {
    const line = `exec "$0" "$@" > ${fullDevice}`;
    const child = spawn("sh", ["-c", line, process.execPath, fixture, work], { stdio: ["ignore", "pipe", "pipe"] });
    assert.deepEqual(await transcriptOf(child), { stdout: "", stderr: `holdfast: ${says}\n`, status });
  });
}
