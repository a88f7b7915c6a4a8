/** Trees put into an image beside the same put into a mounted one by cp and tar. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { FileReader } from "../../src/device/index.ts";
import { openFileSystem } from "../../src/filesystem/index.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { fillMounted, skipWithoutMount, whileMounted } from "../filesystem/ext/mounted.ts";
import { factsOf, factsOfFolder, type FileFacts } from "../filesystem/file-facts.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithoutMount() || skipWithout("e2fsck", "tar", "cp", "debugfs");

/** A root with links in place of directories, and files where a tree will have others. */
function populate(root: string, { followsLinks }: Job): void {
  fs.mkdirSync(`${root}/usr/lib/deep`, { recursive: true });
  fs.mkdirSync(`${root}/private`, { mode: 0o700 });
  if (followsLinks) fs.symlinkSync("usr/lib", `${root}/lib`);
  fs.symlinkSync("/usr/lib", `${root}/absolute`);
  fs.writeFileSync(`${root}/usr/lib/replaced`, "old".repeat(5000));
  fs.linkSync(`${root}/usr/lib/replaced`, `${root}/second-name`);
  fs.writeFileSync(`${root}/usr/lib/kept`, "kept");
  fs.symlinkSync("nowhere", `${root}/usr/lib/dangling`);
  fs.mkdirSync(`${root}/empty`);
}

/** What goes into it, by ways that lead through its links, with everything that a tree can have. */
async function makeTree(root: string): Promise<void> {
  fs.mkdirSync(root);
  await fillMounted(root);
  fs.mkdirSync(`${root}/lib/deep`, { recursive: true });
  fs.writeFileSync(`${root}/lib/replaced`, "new");
  fs.writeFileSync(`${root}/lib/deep/file`, "deep");
  fs.linkSync(`${root}/lib/deep/file`, `${root}/lib/hard`);
  fs.mkdirSync(`${root}/private`);
  fs.writeFileSync(`${root}/private/key`, "secret");
  fs.chmodSync(`${root}/private`, 0o750);
  fs.chownSync(`${root}/private`, 12, 34);
  fs.writeFileSync(`${root}/set-id`, "#!");
  fs.chmodSync(`${root}/set-id`, 0o6755);
  fs.utimesSync(`${root}/lib/deep`, 1_000_000_000, 1_000_000_000.25);
}

interface Job {
  /** The words of ours. */
  readonly ours: (tree: string, image: string) => readonly string[];
  /** A shell's words for the kernel's. */
  readonly theirs: string;
  /** Whether the other program goes through a link to a directory; older ones of cp cannot. */
  readonly followsLinks: boolean;
}

const jobs: Readonly<Record<string, Job>> = {
  "put --unpack of a tar is tar -x": {
    ours: (tree, image) => ["put", "--unpack", `${tree}.tar`, `${image}:/`],
    theirs: `tar --numeric-owner --keep-directory-symlink --xattrs --xattrs-include='*' -xpf "$1.tar" -C "$2"`,
    followsLinks: true,
  },
  "put --preserve of folder/. is cp -a": {
    ours: (tree, image) => ["put", "--preserve", `${tree}/.`, `${image}:/`],
    theirs: `cp -a "$1/." "$2"`,
    followsLinks: false,
  },
};

/** All but what is this moment's: tar leaves the times of a directory alone that it came to through a link. */
function comparable(facts: ReadonlyMap<string, FileFacts>): Record<string, unknown> {
  const entries = [...facts].filter(([name]) => name !== "lost+found" && name !== "");
  return Object.fromEntries(
    entries.map(([name, { modified, ...rest }]) => [name, name === "usr/lib" ? rest : { ...rest, modified }]),
  );
}

function assertSame(actual: Record<string, unknown>, wanted: Record<string, unknown>): void {
  assert.deepEqual(Object.keys(actual).toSorted(), Object.keys(wanted).toSorted());
  for (const [name, facts] of Object.entries(wanted)) assert.deepEqual(actual[name], facts, name);
}

for (const [name, job] of Object.entries(jobs)) {
  test(name, { skip }, async () => {
    await using folder = temporaryFolder();
    const [ours, theirs, tree, mountPoint] = ["ours", "theirs", "tree", "mnt"].map((one) => folder.join(one)) as [
      string,
      string,
      string,
      string,
    ];
    await makeTree(tree);
    const pack = [
      "--numeric-owner",
      "--format=pax",
      "--xattrs",
      "--xattrs-include=*",
      "-C",
      tree,
      "-cf",
      `${tree}.tar`,
    ];
    runPeer("tar", [...pack, "."]);
    runPeer("mke2fs", ["-q", "-t", "ext4", "-b", "1024", theirs, "160M"]);
    await whileMounted(theirs, mountPoint, "rw", async () => populate(mountPoint, job));
    fs.copyFileSync(theirs, ours);
    const { stderr, status } = await runHoldfast(["disk", ...job.ours(tree, ours)]);
    assert.deepEqual({ stderr, status }, { stderr: "", status: 0 });
    runPeer("e2fsck", ["-fn", ours]);
    let wanted: Record<string, unknown> = {};
    await whileMounted(theirs, mountPoint, "rw", async () => {
      runPeer("sh", ["-c", job.theirs, "sh", tree, mountPoint]);
      wanted = comparable(factsOfFolder(mountPoint));
    });
    await whileMounted(ours, mountPoint, "ro", async () => {
      assertSame(comparable(factsOfFolder(mountPoint)), wanted);
    });
    await using reader = await FileReader.open(ours);
    await using fileSystem = await openFileSystem(reader);
    assertSame(comparable(await factsOf(fileSystem)), wanted);
  });
}
