import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { commands } from "../../src/cli/commands.ts";
import { loadAll } from "../../src/cli/find-command.ts";
import { referencePages } from "../../src/cli/reference.ts";
import { skipWithout, runPeer } from "../peers/peer.ts";
import { temporaryFolder } from "../temp.ts";
import { runHoldfast } from "./run-holdfast.ts";

test("docs/reference is what the commands say; else run: node test/cli/write-reference.ts", async () => {
  const folder = path.join(import.meta.dirname, "../../docs/reference");
  const pages = referencePages(await loadAll(commands), commands.groups);
  assert.deepEqual(fs.readdirSync(folder).toSorted(), pages.map(({ fileName }) => fileName).toSorted());
  for (const { fileName, text } of pages) assert.equal(fs.readFileSync(path.join(folder, fileName), "utf8"), text);
});

test("the index names each command by its own words, and no option is declared twice", async () => {
  const loaded = await loadAll(commands);
  assert.deepEqual(
    loaded.map(({ words }) => words),
    commands.entries.map(({ words }) => words),
  );
  for (const { words, options, examples, summary } of loaded) {
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
  assert.deepEqual(complete("holdfast", "disk", "c"), ["create", "cat", "chmod", "chown", "check"]);
  assert.deepEqual(complete("holdfast", "disk", "create", "--pre"), ["--preallocate"]);
  assert.deepEqual(complete("holdfast", "disk", "create", "--table", ""), ["mbr", "gpt"]);
  assert.deepEqual(complete("holdfast", "completion", ""), ["bash", "zsh", "fish"]);
});

test("man formats every manual page without complaint", { skip: skipWithout("groff") }, async () => {
  await using folder = temporaryFolder();
  const { stdout, status } = await runHoldfast(["manual", folder.path]);
  assert.equal(status, 0);
  const pages = stdout.trim().split("\n");
  assert.equal(pages.length, commands.entries.length);
  for (const page of pages) {
    const complaints = runPeer("sh", ["-c", 'exec groff -man -Kutf8 -Tutf8 -ww -z "$1" 2>&1', "sh", page]);
    assert.equal(complaints, "");
  }
  const create = runPeer("groff", [
    "-man",
    "-Kutf8",
    "-Tascii",
    "-P-cbou",
    folder.join("holdfast-disk-create.1"),
  ]).replace(/\s+/g, " ");
  assert.match(create, /holdfast-disk-create - make a hard disk of a new file/);
  assert.match(create, /--preallocate/);
});
