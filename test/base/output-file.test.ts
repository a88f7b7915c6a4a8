import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { OutputFile } from "../../src/base/index.ts";
import { temporaryFolder } from "../temp.ts";

test("an output appears on commit, and only then", async () => {
  await using folder = temporaryFolder();
  const target = folder.join("out");
  {
    await using output = OutputFile.create(target);
    fs.writeSync(output.fd, "whole");
    assert.ok(!fs.existsSync(target));
    output.commit();
  }
  assert.equal(fs.readFileSync(target, "utf8"), "whole");
  assert.deepEqual(fs.readdirSync(folder.path), ["out"]);
});

test("an output that is not committed leaves nothing behind", async () => {
  await using folder = temporaryFolder();
  {
    await using output = OutputFile.create(folder.join("out"));
    fs.writeSync(output.fd, "half");
  }
  assert.deepEqual(fs.readdirSync(folder.path), []);
});

test("an existing file is refused without force, and kept until the commit with it", async () => {
  await using folder = temporaryFolder();
  const target = folder.join("out");
  fs.writeFileSync(target, "before");
  assert.throws(() => OutputFile.create(target), { code: "exists" });
  {
    await using output = OutputFile.create(target, { force: true });
    fs.writeSync(output.fd, "after");
    assert.equal(fs.readFileSync(target, "utf8"), "before");
    output.commit();
  }
  assert.equal(fs.readFileSync(target, "utf8"), "after");
});

test("a file that came into being meanwhile is not replaced", async () => {
  await using folder = temporaryFolder();
  const target = folder.join("out");
  await using output = OutputFile.create(target);
  fs.writeFileSync(target, "someone else's");
  assert.throws(() => output.commit(), { code: "exists" });
  assert.equal(fs.readFileSync(target, "utf8"), "someone else's");
});

test("a folder is never replaced, and two writers do not meet", async () => {
  await using folder = temporaryFolder();
  fs.mkdirSync(folder.join("folder"));
  assert.throws(() => OutputFile.create(folder.join("folder"), { force: true }), { code: "refused" });
  await using first = OutputFile.create(folder.join("out"));
  assert.throws(() => OutputFile.create(folder.join("out")), { code: "exists" });
  assert.ok(fs.existsSync(first.partPath));
});
