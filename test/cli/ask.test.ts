/** A question at a terminal, for which `script` stands in. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as path from "node:path";
import { test } from "node:test";
import { runPeer, skipWithout } from "../peers/peer.ts";
import { startScript, transcriptOf } from "./run-holdfast.ts";

const fixture = path.join(import.meta.dirname, "ask-fixture.ts");

function answered(input: string): string {
  const command = `'${process.execPath}' '${fixture}'`;
  return runPeer("script", ["--quiet", "--return", "--command", command, "/dev/null"], { input });
}

test("it asks, and gives what is typed", { skip: skipWithout("script") }, () => {
  assert.match(answered("S3Z9 NB\n"), /Which one\? [^]*answer: "S3Z9 NB"/);
  assert.match(answered("\n"), /answer: undefined/);
});

test("a secret is asked for, and not shown while it is typed", { skip: skipWithout("script") }, async () => {
  const command = `'${process.execPath}' '${fixture}' secret`;
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], { stdio: "pipe" });
  let shown = "";
  for await (const text of child.stdout.setEncoding("utf8")) {
    if (shown === "") child.stdin.write("hunter\u007fr2\r");
    shown += text as string;
  }
  assert.match(shown, /^Which one\? \r\nanswer: "hunter2"/);
});

test("without a terminal it does not ask", async () => {
  const child = startScript(fixture, []);
  child.stdin.end("S3Z9 NB\n");
  assert.deepEqual(await transcriptOf(child), { stdout: "answer: undefined\n", stderr: "", status: 0 });
});
