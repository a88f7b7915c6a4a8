/** What is in an image is changed, as a user would type it and see it. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { temporaryFolder } from "../temp.ts";
import { runHoldfast } from "./run-holdfast.ts";

const folder = temporaryFolder();
const image = folder.join("big");

async function quietly(...words: readonly string[]): Promise<void> {
  const { stdout, stderr, status } = await runHoldfast(words);
  assert.deepEqual({ stdout, stderr, status }, { stdout: "", stderr: "", status: 0 });
}

async function refused(words: readonly string[], status: number, stderr: RegExp): Promise<void> {
  const before = fs.readFileSync(image);
  const result = await runHoldfast(words, { EDITOR: "false" });
  assert.match(result.stderr, stderr);
  assert.equal(result.status, status);
  assert.ok(before.equals(fs.readFileSync(image)), "nothing was changed");
}

async function cat(path: string): Promise<string> {
  return (await runHoldfast(["disk", "cat", `${image}:${path}`])).stdout;
}

before(async () => {
  fs.mkdirSync(folder.join("tree", "etc"), { recursive: true });
  fs.writeFileSync(folder.join("tree", "etc", "motd"), "hello\n");
  fs.writeFileSync(folder.join("tree", "etc", "passwd"), "root:x:0:0::/:/bin/sh\njoe:x:1000:100::/:/bin/sh\n");
  fs.writeFileSync(folder.join("new"), "new\n");
  fs.chmodSync(folder.join("new"), 0o640);
  const { status } = await runHoldfast(["disk", "create", image, "--size", "32MiB", "--from", folder.join("tree")]);
  assert.equal(status, 0);
});

after(() => folder[Symbol.asyncDispose]());

test("put replaces content and leaves the rest, or makes a file of root's", async () => {
  await quietly("disk", "chmod", "600", `${image}:/etc/motd`);
  await quietly("disk", "chown", "joe:7", `${image}:/etc/motd`);
  await quietly("disk", "put", folder.join("new"), `${image}:/etc/motd`);
  await quietly("disk", "put", folder.join("new"), `${image}:/etc/`);
  const { stdout } = await runHoldfast(["disk", "ls", "-l", `${image}:/etc`]);
  assert.match(stdout, /^-rw------- 1 1000 7 +4 .* motd$/m);
  assert.match(stdout, /^-rw-r----- 1 +0 0 +4 .* new$/m);
  assert.equal(await cat("/etc/motd"), "new\n");
});

test("a folder goes in with all below it", async () => {
  await quietly("disk", "put", "--mkdir", folder.join("tree"), `${image}:/srv/copy/`);
  assert.equal(await cat("/srv/copy/tree/etc/motd"), "hello\n");
});

test("mkdir, mv, ln and rm do what their namesakes do", async () => {
  await quietly("disk", "mkdir", "-p", `${image}:/a/b/c`);
  await quietly("disk", "mv", `${image}:/srv/copy/tree/etc/motd`, `${image}:/a/b`);
  await quietly("disk", "ln", "-s", "b/motd", `${image}:/a/link`);
  await quietly("disk", "ln", "/a/b/motd", `${image}:/a/hard`);
  assert.equal(await cat("/a/link"), "hello\n");
  await quietly("disk", "rm", `${image}:/a/b/motd`);
  assert.equal(await cat("/a/hard"), "hello\n");
  await quietly("disk", "rm", "-r", `${image}:/a/b`, `${image}:/srv`);
  const { stdout } = await runHoldfast(["disk", "check", image]);
  assert.match(stdout, /^no errors$/m);
});

test("a script is made whole or not at all", async () => {
  const script = folder.join("script");
  fs.writeFileSync(
    script,
    "write /etc/hostname anna\nmkdir -p /x/y\nput new /x/y/\n".replace("new", folder.join("new")),
  );
  await quietly("disk", "edit", image, "--script", script);
  assert.equal(await cat("/etc/hostname"), "anna\n");
  assert.equal(await cat("/x/y/new"), "new\n");
  fs.writeFileSync(script, "rm /etc/hostname\nrm /nowhere\n");
  await refused(
    ["disk", "edit", image, "--script", script],
    1,
    /^holdfast: cannot remove "\/nowhere": it is not there$/m,
  );
  fs.writeFileSync(script, "rm /etc/hostname\nfrob\n");
  await refused(["disk", "edit", image, "--script", script], 2, /^holdfast: cannot understand line 2 of the script/m);
});

test("an editor's changes go back into the image, keeping the owner", async () => {
  const edited = await runHoldfast(["disk", "edit", `${image}:/etc/motd`], { EDITOR: "sed -i s/new/edited/" });
  assert.deepEqual([edited.stderr, edited.status], ["", 0]);
  assert.equal(await cat("/etc/motd"), "edited\n");
  await refused(["disk", "edit", `${image}:/etc/motd`], 1, /the editor ended with status 1/);
});

test("what cannot be is refused, and nothing is changed", async () => {
  await refused(
    ["disk", "rm", `${image}:/etc`],
    1,
    /^holdfast: cannot remove "\/etc": it is a directory\nhint: add -r$/m,
  );
  await refused(["disk", "mv", `${image}:/etc`, `${image}:/etc/x`], 1, /cannot move a directory into itself/);
  await refused(["disk", "mkdir", `${image}:/etc`], 1, /there is something of that name/);
  await refused(["disk", "put", folder.join("absent"), `${image}:/x`], 1, /cannot read ".*absent"/);
  await refused(["disk", "chmod", "q", `${image}:/etc`], 2, /cannot understand the mode "q"/);
  await refused(["disk", "put", folder.join("new"), image], 2, /it names no file in the image/);
});
