import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { commands } from "../../src/cli/commands.ts";
import { temporaryFolder } from "../temp.ts";
import { runHoldfast } from "./run-holdfast.ts";

interface Refused {
  readonly line: string;
  readonly says: string;
}

const refused: readonly Refused[] = [
  {
    line: "dsik",
    says: 'cannot run "holdfast dsik": there is no such command\nhint: did you mean "holdfast disk"?',
  },
  {
    line: "disk crate big",
    says: 'cannot run "holdfast disk crate": there is no such command\nhint: did you mean "holdfast disk create"?',
  },
  {
    line: "disk qqqqqq",
    says: 'cannot run "holdfast disk qqqqqq": there is no such command\nhint: "holdfast disk --help" lists the commands',
  },
  {
    line: "help disk sho",
    says: 'cannot run "holdfast disk sho": there is no such command\nhint: did you mean "holdfast disk show"?',
  },
  {
    line: "--size 4",
    says: 'cannot run "holdfast --size": there is no such command\nhint: "holdfast --help" lists the commands',
  },
  {
    line: "disk --json",
    says: 'cannot run "holdfast disk --json": there is no such command\nhint: "holdfast disk --help" lists the commands',
  },
  {
    line: "disk create",
    says: 'cannot run "holdfast disk create": FILE is missing\nhint: usage: holdfast disk create FILE --size SIZE [options]',
  },
  {
    line: "disk create big",
    says: 'cannot run "holdfast disk create": --size SIZE is missing\nhint: usage: holdfast disk create FILE --size SIZE [options]',
  },
  {
    line: "disk create big --sise 4GB",
    says: 'cannot use "--sise": "holdfast disk create" has no such option\nhint: did you mean --size?',
  },
  {
    line: "disk create big --size",
    says: 'cannot use "--size" without its value SIZE\nhint: usage: holdfast disk create FILE --size SIZE [options]',
  },
  {
    line: "disk create big --size 4XB",
    says: 'cannot understand the size "4XB"\nhint: write 512MiB, 4GB (10^9), 4GiB (2^30), 4G (as 4GiB) or a number of bytes',
  },
  {
    line: "disk create big --size 4GB --table gtp",
    says: 'cannot use "--table gtp": it is one of mbr, gpt\nhint: did you mean gpt?',
  },
  {
    line: "disk create big --size 4GB --geometry 255",
    says: 'cannot understand the geometry "255"\nhint: write heads x sectors of a track, as in 255x63',
  },
  {
    line: "disk create big --size 4GB --partition size=1GB,fz=ext4",
    says: 'cannot understand the partition "size=1GB,fz=ext4": there is no key "fz"\nhint: did you mean fs?',
  },
  {
    line: "disk show big extra",
    says: 'cannot run "holdfast disk show": it has no use for "extra"\nhint: usage: holdfast disk show FILE [options]',
  },
  {
    line: "disk ls :/etc",
    says: 'cannot understand the place ":/etc": it names no image\nhint: write IMAGE:/path or, for partition 2, IMAGE:2/path',
  },
  {
    line: "disk cat big",
    says: 'cannot read "big": it names no file in the image\nhint: write the path after a colon, as in big:/etc/fstab',
  },
  {
    line: "disk ls big --help=yes",
    says: 'cannot use "--help=yes": --help takes no value\nhint: usage: holdfast disk ls PLACE [options]',
  },
  {
    line: "disk show ",
    says: 'cannot use "" as FILE: it is empty',
  },
  {
    line: "disk create - --size 4GB",
    says: "cannot make a disk on standard output: it is not written in order\nhint: name a file; ./- is a file of that name",
  },
  {
    line: "disk check big:2/etc",
    says: 'cannot check "big:2/etc": a file system can only be checked as a whole\nhint: leave the path away: big:2',
  },
  {
    line: "completion tcsh",
    says: 'cannot use "tcsh": it is one of bash, zsh, fish',
  },
];

for (const { line, says } of refused) {
  test(`holdfast ${line}`, async () => {
    const { stdout, stderr, status } = await runHoldfast(line.split(" "));
    assert.equal(stderr, `holdfast: ${says}\n`);
    assert.equal(stdout, "");
    assert.equal(status, 2);
  });
}

test("without words, and with --help, the same help is printed", async () => {
  const bare = await runHoldfast([]);
  assert.equal(bare.status, 0);
  assert.match(bare.stdout, /^Holdfast keeps your own machines/);
  for (const { words } of commands.entries) assert.match(bare.stdout, new RegExp(`\\b${words[0]}\\b`));
  for (const words of [["--help"], ["-h"], ["help"]]) assert.deepEqual(await runHoldfast(words), bare);
});

test("a group's help names every verb with what it does", async () => {
  const help = await runHoldfast(["disk", "--help"]);
  assert.equal(help.status, 0);
  assert.match(help.stdout, /^ {2}create {2}make a hard disk of a new file/m);
  for (const words of [["disk"], ["help", "disk"], ["disk", "-h"]]) assert.deepEqual(await runHoldfast(words), help);
});

test("a command's help", async () => {
  const help = await runHoldfast(["disk", "ls", "--help"]);
  assert.equal(
    help.stdout,
    `holdfast disk ls: list the files in an image

usage
  holdfast disk ls PLACE [options]

operands
  PLACE  IMAGE, IMAGE:/path, or IMAGE:2/path for partition 2

options
  -l, --long       with mode, links, owner, group, size, time in UTC
  -R, --recursive  with everything below
      --json       print one JSON document instead of text
  -h, --help       show this help

examples
  holdfast disk ls big
    the root of its only or root file system
  holdfast disk ls -lR big:2/etc
    all below /etc in partition 2
`,
  );
  assert.equal(help.stderr, "");
  assert.equal(help.status, 0);
  for (const words of [
    ["help", "disk", "ls"],
    ["disk", "ls", "image", "-lh"],
  ]) {
    assert.deepEqual(await runHoldfast(words), help);
  }
});

test("every command has help that fits 80 columns but for what is to be typed", async () => {
  const pages = await Promise.all(commands.entries.map(({ words }) => runHoldfast([...words, "--help"])));
  for (const { stdout, status } of pages) {
    assert.equal(status, 0);
    const typed = / {2}holdfast /;
    const tooWide = stdout.split("\n").filter((line) => line.length > 80 && !typed.test(line));
    assert.deepEqual(tooWide, []);
  }
});

test("--version is that of the package", async () => {
  const packagePath = path.join(import.meta.dirname, "../../package.json");
  const { version } = JSON.parse(fs.readFileSync(packagePath, "utf8")) as { version: string };
  assert.deepEqual(await runHoldfast(["--version"]), { stdout: `holdfast ${version}\n`, stderr: "", status: 0 });
});

test("an invalid SOURCE_DATE_EPOCH is refused", async () => {
  const words = ["disk", "create", "/nowhere/big", "--size", "4GB"];
  const { stderr, status } = await runHoldfast(words, { SOURCE_DATE_EPOCH: "yesterday" });
  assert.match(stderr, /^holdfast: cannot use SOURCE_DATE_EPOCH="yesterday"/);
  assert.equal(status, 2);
});

test("what holds nothing that could be checked is not called sound", async () => {
  await using folder = temporaryFolder();
  const image = folder.join("zeros");
  fs.writeFileSync(image, new Uint8Array(2 ** 20));
  const text = await runHoldfast(["disk", "check", image]);
  assert.equal(text.stdout, "disk: no file system known, not checked\n");
  assert.equal(
    text.stderr,
    `holdfast: cannot check "${image}": there is no partition table and no file system known\n`,
  );
  assert.equal(text.status, 1);
  const json = await runHoldfast(["disk", "check", "--json", image]);
  assert.equal((JSON.parse(json.stdout) as { errorCount: number }).errorCount, 0);
  assert.equal(json.status, 1);
});
