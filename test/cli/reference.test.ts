import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { commandEntries, commandGroups, loadAllCommands } from "../../src/cli/commands.ts";
import { referencePages } from "../../src/cli/reference.ts";
import { runHoldfast } from "./run-holdfast.ts";

test("docs/reference is what the commands say; else run: node test/cli/write-reference.ts", async () => {
  const folder = path.join(import.meta.dirname, "../../docs/reference");
  const pages = referencePages(await loadAllCommands(), commandGroups);
  assert.deepEqual(fs.readdirSync(folder).toSorted(), pages.map(({ fileName }) => fileName).toSorted());
  for (const { fileName, text } of pages) assert.equal(fs.readFileSync(path.join(folder, fileName), "utf8"), text);
});

test("the index names each command by its own words, and no option is declared twice", async () => {
  const commands = await loadAllCommands();
  assert.deepEqual(
    commands.map(({ words }) => words),
    commandEntries.map(({ words }) => words),
  );
  for (const { words, options, examples, summary } of commands) {
    const shorts = Object.values(options).flatMap(({ short }) => short ?? []);
    assert.equal(new Set(shorts).size, shorts.length, words.join(" "));
    assert.ok(!shorts.includes("h") && options["help"] === undefined, words.join(" "));
    assert.ok(examples.length > 0 && !summary.endsWith("."), words.join(" "));
  }
});

for (const shell of ["zsh", "fish"]) {
  test(`completion ${shell} knows every option`, async () => {
    const { stdout, status } = await runHoldfast(["completion", shell]);
    assert.equal(status, 0);
    assert.match(stdout, /preallocate/);
    assert.match(stdout, /aligned classic/);
  });
}

test("bash completes verbs, options and their values", async () => {
  const { stdout: script } = await runHoldfast(["completion", "bash"]);
  const complete = (...words: readonly string[]): string[] => {
    const probe = 'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _holdfast; printf "%s\\n" "${COMPREPLY[@]}"';
    const output = execFileSync("bash", ["-c", `${script}\n${probe}`, "bash", ...words], { encoding: "utf8" });
    return output.trim().split("\n");
  };
  assert.deepEqual(complete("holdfast", "di"), ["disk"]);
  assert.deepEqual(complete("holdfast", "disk", "c"), ["create", "cat", "check"]);
  assert.deepEqual(complete("holdfast", "disk", "create", "--pre"), ["--preallocate"]);
  assert.deepEqual(complete("holdfast", "disk", "create", "--table", ""), ["mbr", "gpt"]);
  assert.deepEqual(complete("holdfast", "completion", ""), ["bash", "zsh", "fish"]);
});
