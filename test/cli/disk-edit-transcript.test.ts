/** Changes to what is in a disk, as a user would type them and see them. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, beforeEach, test } from "node:test";
import { temporaryFolder } from "../temp.ts";
import { runHoldfast, startHoldfast, transcriptOf, type Transcript } from "./run-holdfast.ts";

const folder = temporaryFolder();
const fresh = folder.join("fresh");
const big = folder.join("big");

before(async () => {
  const tree = folder.join("tree");
  fs.mkdirSync(`${tree}/etc`, { recursive: true });
  fs.mkdirSync(`${tree}/usr`);
  fs.writeFileSync(`${tree}/etc/hostname`, "anchor\n");
  fs.writeFileSync(`${tree}/etc/passwd`, "root:x:0:0::/:/bin/sh\njoe:x:1000:1001::/home/joe:/bin/sh\n");
  const specs = ["size=8MiB,fs=none,type=efi", `size=rest,label=root,from=${tree}`, "size=8MiB,fs=ext2,label=data"];
  const words = ["disk", "create", fresh, "--size", "40MiB", "--table", "gpt"];
  await done([...words, ...specs.flatMap((spec) => ["--partition", spec])]);
});

beforeEach(() => fs.copyFileSync(fresh, big));
after(() => folder[Symbol.asyncDispose]());

/** Runs what is to succeed without a word on standard error; gives what it prints. */
async function done(words: readonly string[], env: Readonly<Record<string, string>> = {}, input = ""): Promise<string> {
  const { stdout, stderr, status } = await runHoldfast(words, env, input);
  assert.deepEqual({ stderr, status }, { stderr: "", status: 0 }, words.join(" "));
  return stdout;
}

const cat = (path: string): Promise<string> => done(["disk", "cat", `${big}:${path}`]);

/** Runs what is to fail, and to leave every byte as it is. */
async function refused(words: readonly string[], env: Readonly<Record<string, string>> = {}, input = "") {
  const bytes = fs.readFileSync(big);
  const transcript = await runHoldfast(words, env, input);
  assert.ok(fs.readFileSync(big).equals(bytes), "nothing is changed");
  assert.equal(transcript.stdout, "");
  return transcript;
}

test("the verbs, one after the other", async () => {
  const key = folder.join("id.pub");
  fs.writeFileSync(key, "ssh-ed25519 AAAA\n");
  await done(["disk", "mkdir", "-p", "--owner", "joe:", "--mode", "700", `${big}:/home/joe/.ssh`]);
  await done(["disk", "put", "--owner", "joe:", key, `${big}:/home/joe/.ssh/authorized_keys`]);
  await done(["disk", "chmod", "go-rwx", `${big}:/home/joe/.ssh/authorized_keys`]);
  await done(["disk", "ln", "-s", "../home/joe", `${big}:/etc/joe`]);
  await done(["disk", "ln", `${big}:/etc/hostname`, `${big}:/etc/name`]);
  await done(["disk", "mv", `${big}:/etc/hostname`, `${big}:/usr/`]);
  await done(["disk", "rm", "-r", `${big}:/lost+found`]);
  await done(["disk", "put", "-", `${big}:/from-a-pipe`], {}, "piped\n");
  await done(["disk", "chown", "-R", "root", `${big}:/usr`]);
  assert.equal(await cat("/etc/joe/.ssh/authorized_keys"), "ssh-ed25519 AAAA\n");
  assert.equal(await cat("/from-a-pipe"), "piped\n");
  const listing = await done(["disk", "ls", "-lR", `${big}:/`]);
  const facts = listing.replaceAll(/ +\d+ \d{4}-\d\d-\d\d \d\d:\d\d /g, " ").replaceAll(/ +/g, " ");
  assert.match(facts, /^drwx------ 2 1000 1001 \.ssh$/m);
  assert.match(facts, /^-rw------- 1 1000 1001 authorized_keys$/m);
  assert.match(facts, /^lrwxrwxrwx 1 0 0 joe -> \.\.\/home\/joe$/m);
  assert.match(facts, /^-rw\S+ 2 0 \d+ hostname$/m);
  assert.doesNotMatch(facts, /lost\+found/);
  assert.match(await done(["disk", "check", big]), /no errors/);
});

test("a script is made as one, from a file or standard input", async () => {
  const script = `# who it is
write /etc/hostname <<END
buoy
END
append /etc/passwd 'jim:x:1002:1002::/home/jim:/bin/sh'
mkdir -p /home/jim
chown jim: /home/jim
chmod +t /home/jim
`;
  assert.equal(await done(["disk", "edit", big, "--script", "-"], {}, script), "");
  assert.equal(await cat("/etc/hostname"), "buoy\n");
  assert.match(await done(["disk", "ls", "-l", `${big}:/home`]), /^drwxr-xr-t 2 1002 1002 .* jim\n$/);
  fs.writeFileSync(folder.join("script"), "rm /home/jim -r\n");
  await done(["disk", "edit", `${big}:2`, "--script", folder.join("script")]);
  assert.equal(await done(["disk", "ls", `${big}:2/home`]), "");
});

test("where one line fails none is made, and the line is named", async () => {
  const script = "rm -r /etc\nmkdir /new\nchmod 600 /none\nmkdir /more\n";
  const { stderr, status } = await refused(["disk", "edit", big, "--script", "-"], {}, script);
  assert.equal(stderr, 'holdfast: line 3: cannot find "/none": "/" has no "none"\n');
  assert.equal(status, 1);
  const unread = await refused(["disk", "edit", big, "--script", "-"], {}, "rm -r /etc\nrmdir /usr\n");
  assert.match(unread.stderr, /^holdfast: line 2: there is no verb "rmdir"\nhint: there are put, rm, /);
  assert.equal(unread.status, 2);
});

test("a dry run tries it all, prints it, and changes nothing", async () => {
  const bytes = fs.readFileSync(big);
  const words = ["disk", "rm", "-r", "-f", `${big}:/etc`, `${big}:/none`, "--dry-run"];
  assert.equal(await done(words), "rm -r -f /etc /none\n");
  const put = ["disk", "put", "--mkdir", folder.join("tree"), `${big}:/srv/a b/`, "--dry-run"];
  assert.equal(await done(put), `put --mkdir ${folder.join("tree")} '/srv/a b/'\n`);
  assert.ok(fs.readFileSync(big).equals(bytes));
  const { stderr, status } = await refused(["disk", "mv", `${big}:/none`, `${big}:/etc`, "--dry-run"]);
  assert.equal(stderr, 'holdfast: cannot move "/none": it is not there\n');
  assert.equal(status, 1);
});

test("--json says what was done", async () => {
  const report: unknown = JSON.parse(await done(["disk", "mkdir", `${big}:3/x`, "--json"]));
  assert.deepEqual(report, { image: big, partition: 3, isDryRun: false, edits: ["mkdir /x"], warnings: [] });
  assert.equal(await done(["disk", "ls", `${big}:3/`]), "lost+found\nx\n");
});

test("what cannot be done says why, and what to do", async () => {
  const across = await refused(["disk", "mv", `${big}:2/etc`, `${big}:3/`]);
  assert.match(across.stderr, /^holdfast: cannot change several file systems as one\nhint: .*get and put/);
  assert.equal(across.status, 2);
  const none = await refused(["disk", "rm", `${big}:1/x`]);
  assert.match(none.stderr, /^holdfast: cannot change partition 1 of ".*big": it holds no file system that is known\n/);
  assert.equal(none.status, 1);
  const directory = await refused(["disk", "rm", `${big}:/etc`]);
  assert.match(directory.stderr, /^holdfast: cannot remove "\/etc": it is a directory\nhint: -r removes it/);
  const twice = await refused(["disk", "put", "-", "-", `${big}:/etc`]);
  assert.match(twice.stderr, /^holdfast: cannot put standard input twice/);
  const space = folder.join("space");
  fs.writeFileSync(space, Buffer.alloc(40 * 2 ** 20, 1));
  const full = await runHoldfast(["disk", "put", space, `${big}:/`]);
  assert.equal(full.status, 1);
  assert.match(full.stderr, /no space|bytes are free|is full|space/);
  assert.equal(await done(["disk", "ls", `${big}:/`]), "etc\nlost+found\nusr\n");
  assert.match(await done(["disk", "check", big]), /no errors/);
});

test("put takes the holes of a file along, and reads a tar only when it is to be unpacked", async () => {
  const sparse = folder.join("sparse");
  fs.writeFileSync(sparse, "begins");
  fs.truncateSync(sparse, 2 ** 30);
  await done(["disk", "put", sparse, `${big}:/`]);
  const { folders } = JSON.parse(await done(["disk", "ls", `${big}:/sparse`, "--json"])) as {
    folders: { items: { sizeBytes: number; allocatedBytes: number }[] }[];
  };
  assert.equal(folders[0]!.items[0]!.sizeBytes, 2 ** 30);
  assert.ok(folders[0]!.items[0]!.allocatedBytes < 100_000);
  const tar = folder.join("name.tar");
  const written = await runHoldfast(["disk", "get", `${big}:/etc`, folder.join("etc")]);
  assert.equal(written.status, 0);
  fs.writeFileSync(tar, "no tar at all");
  await done(["disk", "put", tar, `${big}:/`]);
  assert.equal(await cat("/name.tar"), "no tar at all");
  assert.equal((await refused(["disk", "put", "--unpack", tar, `${big}:/`])).status, 3);
});

function editing(editor: string, words: readonly string[] = ["disk", "edit", `${big}:/etc/hostname`]) {
  return runHoldfast(words, { VISUAL: editor, EDITOR: "false" });
}

test("an editor gets a copy, its words being the shell's to divide; what it leaves is put back", async () => {
  await done(["disk", "chmod", "600", `${big}:/etc/hostname`]);
  await done(["disk", "chown", "joe:", `${big}:/etc/hostname`]);
  await done(["disk", "ln", "-s", "hostname", `${big}:/etc/link`]);
  const { stdout, stderr, status } = await editing(`sed -i -e 's/anchor/a buoy/'`, [
    "disk",
    "edit",
    `${big}:/etc/link`,
  ]);
  assert.deepEqual({ stdout, stderr, status }, { stdout: "", stderr: "", status: 0 });
  assert.match(await done(["disk", "ls", "-l", `${big}:/etc/hostname`]), /^-rw------- 1 1000 1001 7 /);
  assert.equal(await cat("/etc/hostname"), "a buoy\n");
  const same = await refused(["disk", "edit", `${big}:/etc/hostname`], { EDITOR: "true" });
  assert.deepEqual([same.stderr, same.status], ["nothing was changed\n", 0]);
});

function copyNamedBy({ stderr }: Transcript): string {
  const [, copy = ""] = /the copy that was edited is "(.*)"$/m.exec(stderr) ?? [];
  return copy;
}

test("where the editor fails nothing is put back, and the copy is kept and named", async () => {
  const failed = await refused(["disk", "edit", `${big}:/etc/hostname`], {
    EDITOR: `sh -c 'echo mine > "$1"; exit 3' sh`,
  });
  assert.match(failed.stderr, /^holdfast: cannot edit "\/etc\/hostname": the editor ended with status 3\nhint: /);
  assert.equal(failed.status, 1);
  const copy = copyNamedBy(failed);
  assert.equal(fs.readFileSync(copy, "utf8"), "mine\n");
  assert.equal(fs.statSync(copy).mode & 0o777, 0o600);
  fs.rmSync(copy.slice(0, copy.lastIndexOf("/")), { recursive: true });
});

test("where the file was changed in the image meanwhile nothing is put back", async () => {
  const other = folder.join("other");
  fs.writeFileSync(other, "changed meanwhile\n");
  const change = `"${process.execPath}" "${import.meta.dirname}/../../src/cli/main.ts" disk put "${other}" "${big}:/etc/hostname"`;
  const late = await editing(`sh -c '${change} && echo mine > "$1"' sh`);
  assert.match(late.stderr, /^holdfast: cannot write "\/etc\/hostname": it was changed in the image meanwhile\n/);
  assert.equal(late.status, 3);
  assert.equal(await cat("/etc/hostname"), "changed meanwhile\n");
  const copy = copyNamedBy(late);
  assert.equal(fs.readFileSync(copy, "utf8"), "mine\n");
  fs.rmSync(copy.slice(0, copy.lastIndexOf("/")), { recursive: true });
});

test("Ctrl-C is the editor's while it runs", async () => {
  const ready = folder.join("ready");
  const goOn = folder.join("go-on");
  const wait = `touch "${ready}"; until [ -e "${goOn}" ]; do sleep 0.02; done; echo mine > "$1"`;
  const child = startHoldfast(["disk", "edit", `${big}:/etc/hostname`], { VISUAL: `sh -c '${wait}' sh` });
  const ended = transcriptOf(child);
  while (!fs.existsSync(ready) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 10));
  child.kill("SIGINT");
  child.kill("SIGINT");
  fs.writeFileSync(goOn, "");
  const { stderr, status } = await ended;
  assert.deepEqual({ stderr, status }, { stderr: "", status: 0 });
  assert.equal(await cat("/etc/hostname"), "mine\n");
});
