import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { openDeb } from "../../src/tree/deb.ts";
import { copyTree, FolderSource, openSource, TarWriter, type TreeSource } from "../../src/tree/index.ts";
import { fillSample } from "../filesystem/ext/sample-folder.ts";
import { factsOfFolder, factsOfTree, type FileFacts } from "../filesystem/file-facts.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const isRoot = process.getuid?.() === 0;
const skip = skipWithout("tar");
const skipAttributes = skipWithout("tar", "setfattr", "setfacl");

let sample: TemporaryFolder;

before(() => {
  sample = temporaryFolder();
  fillSample(sample.path);
  runPeer("mkfifo", [sample.join("fifo")]);
  if (isRoot) {
    runPeer("mknod", ["-m", "640", sample.join("null"), "c", "1", "3"]);
    runPeer("mknod", [sample.join("disk"), "b", "259", "70000"]);
    fs.chownSync(sample.join("size-150"), 1234, 3_000_000_000);
    fs.lchownSync(sample.join("short-link"), 65534, 0);
  }
  if (skipAttributes !== false) return;
  runPeer("setfacl", ["-m", "u:1:rw,u:4321:r,g:7654321:-", sample.join("size-1025")]);
  runPeer("setfacl", ["-m", "u:99:rx", "-m", "d:u:99:rwx", sample.join("a/b")]);
  runPeer("setfattr", ["-n", "user.bin=%3D", "-v", "0x00ff0a3d0a00", sample.join("size-100")]);
  if (isRoot) {
    runPeer("setfattr", [
      "-n",
      "security.capability",
      "-v",
      "0x0100000200200000000000000000000000000000",
      sample.join("size-0"),
    ]);
    runPeer("setfattr", ["-n", "trusted.empty", sample.join("size-0")]);
  }
});
after(() => sample[Symbol.asyncDispose]());

interface Adjustment {
  readonly seconds?: boolean;
  readonly noXattrs?: boolean;
}

type ComparedFile = Omit<FileFacts, "firstPath"> & { readonly names: readonly string[] };

/** In the order of the paths; files with several names hold them all, for whichever came first is not a fact of theirs. */
function comparable(facts: ReadonlyMap<string, FileFacts>, adjust: Adjustment = {}): [string, ComparedFile][] {
  const groups = Map.groupBy(facts.keys(), (path) => facts.get(path)!.firstPath);
  const files = [...facts].map(([path, { firstPath, ...rest }]): [string, ComparedFile] => {
    const modified = adjust.seconds === true ? { seconds: rest.modified.seconds, nanoseconds: 0 } : rest.modified;
    const xattrs = adjust.noXattrs === true ? {} : rest.xattrs;
    return [path, { ...rest, modified, xattrs, names: groups.get(firstPath)!.toSorted() }];
  });
  return files.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

async function assertReads(file: string, folder: string, adjust: Adjustment = {}, leftOut?: RegExp): Promise<void> {
  await using source = await openSource(file);
  const expected = [...factsOfFolder(folder)].filter(([path]) => leftOut?.test(path) !== true);
  assert.deepEqual(comparable(await factsOfTree(source), adjust), comparable(new Map(expected), adjust));
}

/** What the older forms have no room for, and GNU tar refuses to put in. */
const tooMuch = ["./long-*", "./size-59", "./long-link", "./ü*", "./fifo", "./null", "./disk", "./size-150"];
const tooMuchPaths = /^(long-|size-59|ü|fifo|null|disk|size-150)/;

for (const format of ["v7", "ustar"]) {
  test(`GNU tar --format=${format} is read`, { skip }, async () => {
    await using folder = temporaryFolder();
    const file = folder.join("a.tar");
    const exclude = tooMuch.map((pattern) => `--exclude=${pattern}`);
    runPeer("tar", [`--format=${format}`, ...exclude, "-C", sample.path, "-cf", file, "."]);
    await assertReads(file, sample.path, { seconds: true, noXattrs: true }, tooMuchPaths);
  });
}

const richForms: readonly { readonly options: readonly string[]; readonly adjust: Adjustment }[] = [
  { options: ["--format=gnu"], adjust: { seconds: true, noXattrs: true } },
  { options: ["--format=gnu", "--sparse"], adjust: { seconds: true, noXattrs: true } },
  { options: ["--format=oldgnu", "--sparse"], adjust: { seconds: true, noXattrs: true } },
  { options: ["--format=pax"], adjust: { noXattrs: true } },
  { options: ["--format=pax", "--sparse", "--sparse-version=0.0"], adjust: { noXattrs: true } },
  { options: ["--format=pax", "--sparse", "--sparse-version=0.1"], adjust: { noXattrs: true } },
  { options: ["--format=pax", "--sparse", "--sparse-version=1.0"], adjust: { noXattrs: true } },
  { options: ["--format=pax", "--xattrs", "--xattrs-include=*", "--acls", "--sparse"], adjust: {} },
];

for (const { options, adjust } of richForms) {
  test(`GNU tar ${options.join(" ")} is read`, { skip: skipAttributes }, async () => {
    await using folder = temporaryFolder();
    const file = folder.join("a.tar");
    runPeer("tar", [...options, "-C", sample.path, "-cf", file, "."]);
    await assertReads(file, sample.path, adjust);
  });
}

test("a very fragmented file is read in every form, and goes on with its holes", { skip }, async () => {
  await using folder = temporaryFolder();
  fs.mkdirSync(folder.join("in"));
  const sparse = fs.openSync(folder.join("in/holes"), "w");
  for (let n = 0; n < 1500; n++) fs.writeSync(sparse, Buffer.alloc(4096, n + 1), 0, 4096, n * 16384 + 8192);
  fs.closeSync(sparse);
  for (const form of [["gnu"], ["pax", "0.0"], ["pax", "0.1"], ["pax", "1.0"]]) {
    const file = folder.join("a.tar");
    const version = form[1] === undefined ? [] : [`--sparse-version=${form[1]}`];
    runPeer("tar", [`--format=${form[0]}`, "-S", ...version, "-C", folder.join("in"), "-cf", file, "."]);
    assert.ok(fs.statSync(file).size < 10_000_000);
    await assertReads(file, folder.join("in"), { seconds: true });
  }
  await using source = await openSource(folder.join("a.tar"));
  await writeTree(source, folder.join("ours.tar"));
  fs.mkdirSync(folder.join("out"));
  runPeer("tar", ["-xpf", folder.join("ours.tar"), "-C", folder.join("out")]);
  const [before, after] = [factsOfFolder(folder.join("in")), factsOfFolder(folder.join("out"))];
  assert.deepEqual(comparable(after), comparable(before));
  // How many blocks the map takes besides is the file system's to say, and it says so late.
  const dataSectors = (1500 * 4096) / 512;
  assert.ok(fs.statSync(folder.join("out/holes")).blocks < dataSectors * 1.1);
});

test(
  "bsdtar's pax, with attributes and ACLs in its own way, is read",
  { skip: skipWithout("bsdtar", "setfacl") },
  async () => {
    await using folder = temporaryFolder();
    const file = folder.join("a.tar");
    runPeer("bsdtar", ["--format=pax", "--xattrs", "--acls", "-C", sample.path, "-cf", file, "."]);
    await assertReads(file, sample.path);
  },
);

async function writeTar(folder: string, file: string): Promise<void> {
  await using source = await FolderSource.open(folder);
  await writeTree(source, file);
}

async function writeTree(source: TreeSource, file: string): Promise<void> {
  const output = fs.openSync(file, "w");
  await using writer = new TarWriter(async (bytes) => void fs.writeSync(output, bytes));
  await copyTree(source, writer);
  fs.closeSync(output);
  assert.deepEqual(writer.warnings, []);
}

test("GNU tar extracts what we write with everything equal", { skip: skipAttributes }, async () => {
  await using folder = temporaryFolder();
  await writeTar(sample.path, folder.join("a.tar"));
  fs.mkdirSync(folder.join("out"));
  // Without the first, GNU tar sets the times of a folder too soon where the tree does not come depth first.
  const options = ["--delay-directory-restore", "--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls"];
  runPeer("tar", [...options, "-xpf", folder.join("a.tar"), "-C", folder.join("out")]);
  assert.deepEqual(comparable(factsOfFolder(folder.join("out"))), comparable(factsOfFolder(sample.path)));
  runPeer("tar", ["--compare", "--numeric-owner", "-f", folder.join("a.tar"), "-C", sample.path]);
  await assertReads(folder.join("a.tar"), sample.path);
});

test("bsdtar extracts what we write with everything equal", { skip: skipWithout("bsdtar", "setfacl") }, async () => {
  await using folder = temporaryFolder();
  await writeTar(sample.path, folder.join("a.tar"));
  fs.mkdirSync(folder.join("out"));
  runPeer("bsdtar", ["--numeric-owner", "-xpf", folder.join("a.tar"), "-C", folder.join("out")]);
  const told = (path: string): unknown => {
    const facts = factsOfFolder(path);
    facts.delete(""); // bsdtar leaves the folder that it extracts into as it is
    facts.delete("size-100"); // and does not know that the name of an attribute may have %3D for =
    return comparable(facts);
  };
  assert.deepEqual(told(folder.join("out")), told(sample.path));
});

test("a compressed tar is read by its first bytes", { skip: skipWithout("tar", "gzip", "xz", "zstd") }, async () => {
  await using folder = temporaryFolder();
  const tar = execFileSync("tar", ["--format=pax", "-C", sample.path, "-c", "."], { maxBuffer: 2 ** 28 });
  const frames = [0, 100_000, 1_000_000].map((at, n, all) => {
    return execFileSync("zstd", ["-q"], { input: tar.subarray(at, all[n + 1] ?? tar.length), maxBuffer: 2 ** 28 });
  });
  const packed: Readonly<Record<string, Buffer>> = {
    gz: execFileSync("gzip", { input: tar, maxBuffer: 2 ** 28 }),
    xz: execFileSync("xz", ["-1"], { input: tar, maxBuffer: 2 ** 28 }),
    zst: Buffer.concat(frames),
  };
  for (const [name, bytes] of Object.entries(packed)) {
    fs.writeFileSync(folder.join(name), bytes);
    await assertReads(folder.join(name), sample.path, { noXattrs: true });
  }
});

test("the files of a Debian package are read, however it is packed", { skip: skipWithout("dpkg-deb") }, async () => {
  await using folder = temporaryFolder();
  fs.mkdirSync(folder.join("in/DEBIAN"), { recursive: true });
  const control = [
    "Package: holdfast-test",
    "Version: 1",
    "Architecture: all",
    "Maintainer: none <none@invalid>",
    "Description: none",
  ];
  fs.writeFileSync(folder.join("in/DEBIAN/control"), `${control.join("\n")}\n`);
  fs.mkdirSync(folder.join("in/usr/bin"), { recursive: true });
  fs.writeFileSync(folder.join("in/usr/bin/tool"), "#!/bin/sh\n", { mode: 0o755 });
  for (const packing of ["none", "gzip", "xz", ...(runPeer("dpkg-deb", ["--help"]).includes("zstd") ? ["zstd"] : [])]) {
    const file = folder.join(`${packing}.deb`);
    runPeer("dpkg-deb", [`-Z${packing}`, "-b", folder.join("in"), file]);
    await using source = await openDeb(file);
    const facts = await factsOfTree(source);
    assert.deepEqual([...facts.keys()], ["", "usr", "usr/bin", "usr/bin/tool"]);
    assert.equal(facts.get("usr/bin/tool")?.mode, 0o755);
  }
});
