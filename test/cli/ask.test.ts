/** A question at a terminal, for which `script` stands in. */
import assert from "node:assert/strict";
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

test("without a terminal it does not ask", async () => {
  const child = startScript(fixture, []);
  child.stdin.end("S3Z9 NB\n");
  assert.deepEqual(await transcriptOf(child), { stdout: "answer: undefined\n", stderr: "", status: 0 });
});
