/** What each verb does to a file system, in lines of a script, and what it refuses. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { parseEditScript } from "../../src/cli/disk/edit-script.ts";
import { applyEdit } from "../../src/disk/apply-edit.ts";
import type { EditableFileSystem } from "../../src/filesystem/index.ts";
import { editableFileSystem, linesOf } from "../filesystem/memory-file-system.ts";
import { temporaryFolder } from "../temp.ts";

const folder = temporaryFolder();
const here = folder.path;

before(() => {
  fs.mkdirSync(`${here}/tree/sub/deep`, { recursive: true });
  fs.writeFileSync(`${here}/file`, "from here");
  fs.writeFileSync(`${here}/tree/a`, "tree's a");
  fs.writeFileSync(`${here}/tree/sub/b`, "tree's b");
  fs.writeFileSync(`${here}/tree/sub/deep/c`, "");
  fs.symlinkSync("a", `${here}/tree/link`);
  fs.linkSync(`${here}/tree/a`, `${here}/tree/sub/hard`);
  fs.symlinkSync(`${here}/file`, `${here}/link-to-file`);
  fs.writeFileSync(`${here}/image`, "");
  fs.writeFileSync(`${here}/program`, "#!");
  for (const name of ["file", "tree/a", "tree/sub/b", "tree/sub/deep/c"]) fs.chmodSync(`${here}/${name}`, 0o644);
  for (const name of ["tree", "tree/sub", "tree/sub/deep"]) fs.chmodSync(`${here}/${name}`, 0o755);
  fs.chmodSync(`${here}/program`, 0o6755);
});

after(() => folder[Symbol.asyncDispose]());

async function run(fileSystem: EditableFileSystem, script: string): Promise<void> {
  const now = { seconds: 1_700_000_000, nanoseconds: 0 };
  const context = { fileSystem, image: `${here}/image`, now, isRehearsal: false, job: {} };
  for (const { edit } of parseEditScript(script.replaceAll("HERE", here))) await applyEdit(context, edit);
}

interface Case {
  readonly from: readonly string[];
  readonly script: string;
  readonly to: readonly string[];
}

/** Runs a script on a file system of these lines: these are to come of it, and no damage. */
function leads(name: string, { from, script, to }: Case): void {
  test(name, async () => {
    const fileSystem = await editableFileSystem(...from);
    await run(fileSystem, script);
    await fileSystem.commit();
    assert.deepEqual(await linesOf(fileSystem), to);
    for await (const { message } of fileSystem.check()) assert.fail(message);
  });
}

/** Runs a script that fails, and says why. */
function fails(
  name: string,
  from: readonly string[],
  script: string,
  failure: { code: string; message: RegExp },
): void {
  test(name, async () => {
    await assert.rejects(run(await editableFileSystem(...from), script), { name: "Failure", ...failure });
  });
}

const accounts = ["etc/", "etc/passwd: root:x:0:0::/:\njoe:x:1000:1001::/:\n", "etc/group: users:x:100:joe\n"];

leads("put gives a new file its own name in a directory, or the name that is given", {
  from: ["d/", "l -> d"],
  script: "put HERE/file /d\nput HERE/file /l/\nput HERE/file /d/new\nput HERE/link-to-file /e",
  to: ["d/", "d/file: from here", "d/new: from here", "e: from here", "l -> d"],
});

leads("put over a file gives it the content; the file, its owner and its mode stay, as with cp", {
  from: ["a: old", "b = a", "l -> a"],
  script: "chmod 600 /a\nchown 5:6 /a\nput HERE/file /l",
  to: ["a: from here 0600 5:6", "b = a", "l -> a"],
});

leads("put gives owner and mode where they are wished for, to a file that is there too", {
  from: [...accounts, "a: old"],
  script: "put --owner joe:users --mode 600 HERE/file /a\nput --owner 7 --mode u=rw,go= HERE/file /n",
  to: [...accounts.toSorted(), "n: from here 0600 7:0"].toSpliced(0, 0, "a: from here 0600 1000:100"),
});

leads("put drops set-id bits with the owner, and --preserve keeps them", {
  from: [],
  script: `put HERE/program /a\nput --preserve --owner 8:9 HERE/program /b`,
  to: ["a: #! 0755", "b: #! 6755 8:9"],
});

leads("put takes a folder with all below it, under its name or a new one", {
  from: ["d/"],
  script: "put HERE/tree /d\nput HERE/tree /new",
  to: ["d/", "new/"].flatMap((at) => {
    const own = at === "d/" ? [at, "d/tree/"] : [at];
    const under = own.at(-1)!;
    return [
      ...own,
      `${under}a: tree's a`,
      `${under}link -> a`,
      `${under}sub/`,
      `${under}sub/b: tree's b`,
      `${under}sub/deep/`,
      `${under}sub/deep/c: `,
      `${under}sub/hard = ${under}a`,
    ];
  }),
});

leads("put of a folder into one of that name keeps what is there: files, modes, owners, links to directories", {
  from: ["tree/", "tree/a: old", "tree/own: stays", "tree/sub -> /elsewhere", "elsewhere/"],
  script: "chmod 700 /tree\nchmod 600 /tree/a\nput HERE/tree /",
  to: [
    "elsewhere/",
    "elsewhere/b: tree's b",
    "elsewhere/deep/",
    "elsewhere/deep/c: ",
    "elsewhere/hard: tree's a 0600",
    "tree/ 0700",
    "tree/a = elsewhere/hard",
    "tree/link -> a",
    "tree/own: stays",
    "tree/sub -> /elsewhere",
  ],
});

leads("put of folder/. puts what is in it", {
  from: ["d/", "d/a: old", "d/sub/"],
  script: "chmod 700 /d\nput HERE/tree/. /d\nput HERE/tree/sub/deep/. /new",
  to: [
    "d/ 0700",
    "d/a: tree's a",
    "d/link -> a",
    "d/sub/",
    "d/sub/b: tree's b",
    "d/sub/deep/",
    "d/sub/deep/c: ",
    "d/sub/hard = d/a",
    "new/",
    "new/c: ",
  ],
});

leads("put --unpack puts what is in a folder; a later file replaces an earlier one", {
  from: ["a: old", "b = a", "link/", "sub: no directory"],
  script: "chmod 600 /a\nput --unpack HERE/tree /",
  to: [
    "a: tree's a",
    "b: old 0600",
    "link -> a",
    "sub/",
    "sub/b: tree's b",
    "sub/deep/",
    "sub/deep/c: ",
    "sub/hard = a",
  ],
});

leads("put makes the directories on the way with --mkdir", {
  from: [],
  script: "put --mkdir HERE/file /a/b/c\nput --mkdir HERE/file /d/e/\nput --mkdir HERE/file HERE/program /f",
  to: [
    "a/",
    "a/b/",
    "a/b/c: from here",
    "d/",
    "d/e/",
    "d/e/file: from here",
    "f/",
    "f/file: from here",
    "f/program: #! 0755",
  ],
});

fails("put into a directory that is not there", [], "put HERE/file /d/", {
  code: "not-found",
  message: /directory "\/d\/"/,
});
fails("put of several needs a directory", ["a: x"], "put HERE/file HERE/program /a", {
  code: "not-found",
  message: /cannot find the directory "\/a"/,
});
fails("put through a link to nowhere", ["l -> nowhere"], "put HERE/file /l", {
  code: "exists",
  message: /"l": it is a link that leads nowhere/,
});
fails("put of a file over a directory", ["d/", "d/file/"], "put HERE/file /d", {
  code: "exists",
  message: /"file": there is a directory of that name/,
});
fails("put of a folder over a file", ["d: x"], "put HERE/tree /d", { code: "exists", message: /"d/ });
fails("put of what is not there", [], "put HERE/none /", { code: "not-found", message: /none": no such file/ });
fails("put of the image into itself", [], "put HERE/image /", { code: "usage", message: /into itself/ });
fails("put of two of one name", ["d/"], "put HERE/file HERE/tree/../file /d", {
  code: "exists",
  message: /replace "file", which has just come/,
});

test("put --unpack --owner gives all to one, without set-id bits; --preserve keeps those", async () => {
  const script = "mkdir /a /b\nput -u --owner 3 HERE/tree /a\nput -u -p --owner 3:4 HERE/tree /b";
  fs.chmodSync(`${here}/tree/a`, 0o4644);
  try {
    const fileSystem = await editableFileSystem();
    await run(fileSystem, script);
    const lines = await linesOf(fileSystem);
    assert.ok(lines.includes("a/a: tree's a 3:0"), lines.join("\n"));
    assert.ok(lines.includes("b/a: tree's a 4644 3:4"), lines.join("\n"));
    assert.ok(lines.includes("a/ 3:0") && lines.includes("b/link -> a 3:4"), lines.join("\n"));
  } finally {
    fs.chmodSync(`${here}/tree/a`, 0o644);
  }
});

leads("write and append make files, follow links, keep modes", {
  from: ["a: old", "l -> a"],
  script: "chmod 600 /a\nwrite /l <<END\none\nEND\nappend /a two\nappend /n three\nwrite /e",
  to: ["a: one\ntwo\n 0600", "e: ", "l -> a", "n: three\n"],
});
fails("write to a directory", ["d/"], "write /d x", { code: "exists", message: /there is a directory/ });

leads("rm takes files, links themselves, and with -r all below", {
  from: ["a: x", "b = a", "d/", "d/e/", "d/e/f: x", "d/l -> ../a", "l -> d", "keep: x"],
  script: "rm /a\nrm -f /none /none/below\nrm /l\nrm -r /d",
  to: ["b: x", "keep: x"],
});
fails("rm of a directory", ["d/"], "rm /d", { code: "failed", message: /cannot remove "\/d": it is a directory/ });
fails("rm of what is not there", [], "rm /a", { code: "not-found", message: /"\/a": it is not there/ });
fails("rm of the root", [], "rm -rf /", { code: "usage", message: /"\/": it names no file/ });
fails("rm of a link as if it were a directory", ["d/", "l -> d"], "rm -r /l/", {
  code: "failed",
  message: /"\/l\/": it is not a directory itself/,
});

leads("mkdir makes one, or with -p all on the way, through links too", {
  from: [...accounts, "a/", "l -> a"],
  script: "mkdir /b\nmkdir -p -m 700 --owner joe: /l/c/d\nmkdir -p /a/c/../e /a /",
  to: ["a/", "a/c/ 1000:1001", "a/c/d/ 0700 1000:1001", "a/e/", "b/", ...accounts.toSorted(), "l -> a"],
});
fails("mkdir of one that is there", ["a/"], "mkdir /a", { code: "exists", message: /"a"/ });
fails("mkdir without its parent", [], "mkdir /a/b", { code: "not-found", message: /has no "a"/ });

leads("mv renames, moves into directories, replaces files", {
  from: ["a: 1", "b: 2", "c: 3", "d/", "e/", "l -> d"],
  script: "mv /a /n\nmv /b /c\nmv /c /n /l\nmv /e /f/\nmv /f /d",
  to: ["d/", "d/c: 2", "d/f/", "d/n: 1", "l -> d"],
});
fails("mv of several without a directory", ["a: 1", "b: 2"], "mv /a /b /c", { code: "not-found", message: /"\/c"/ });
fails("mv of a directory into itself", ["a/", "a/b/"], "mv /a /a/b", { code: "failed", message: /itself/ });
fails("mv over a directory with files", ["a/", "b/", "b/a/", "b/a/x: 1"], "mv /a /b", {
  code: "failed",
  message: /a directory with something in it/,
});
fails("mv of a file over a directory", ["a: 1", "b/", "b/a/"], "mv /a /b", {
  code: "exists",
  message: /cannot move "\/a": "a" is a directory/,
});
fails("mv of two of one name", ["a/", "a/x: 1", "b/", "b/x: 2", "c/"], "mv /a/x /b/x /c", {
  code: "exists",
  message: /replace "x", which has just come/,
});
fails("mv of what is not there", [], "mv /a /b", { code: "not-found", message: /cannot move "\/a": it is not there/ });

leads("ln gives names and makes links, replaces with -f, and with -n links to directories", {
  from: ["a: 1", "d/", "l -> d", "old -> none"],
  script: "ln /a /b\nln -s ../a /d/up\nln -sf /a /old\nln -s /a /l\nln -sfn /new /l",
  to: ["a: 1", "b = a", "d/", "d/a -> /a", "d/up -> ../a", "l -> /new", "old -> /a"],
});
fails("ln over a file", ["a: 1", "b: 2"], "ln /a /b", { code: "exists", message: /there is a file of that name/ });
fails("ln of a directory", ["d/"], "ln /d /e", { code: "failed", message: /directory/ });

leads("chmod follows what is named and leaves links alone below", {
  from: ["a: 1", "d/", "d/x: 1", "d/l -> ../a", "l -> d"],
  script: "chmod -x,u+x /a\nchmod -R go-rx,u+t /l",
  to: ["a: 1 0744", "d/ 0700", "d/l -> ../a", "d/x: 1 0600", "l -> d"],
});

leads("chown finds names in the image, follows what is named; -R changes links themselves", {
  from: [...accounts, "a: 1", "d/", "d/l -> ../a", "l -> d", "p: 1"],
  script: "chmod 6755 /p\nchown :users /l\nchown joe: /a\nchown -R 7 /d\nchown -R 8 /l\nchown 0 /p",
  to: ["a: 1 1000:1001", "d/ 7:100", "d/l -> ../a 7:0", ...accounts.toSorted(), "l -> d 8:0", "p: 1 0755"],
});
fails("chown to a name that the image does not know", accounts, "chown jim /etc", {
  code: "not-found",
  message: /cannot find "jim" in the image's \/etc\/passwd/,
});
