/** Systems made of small packages that dpkg-deb builds: what is in the tree, and what is refused. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { readPackages } from "../../src/debian/system/read-packages.ts";
import { mergeUsr, Unpacker } from "../../src/debian/system/unpack.ts";
import { writePackageInfo, writeStatus } from "../../src/debian/system/dpkg-database.ts";
import { SystemTree } from "../../src/debian/system-tree.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithout("dpkg-deb", "dpkg-query");
const now = { seconds: 1_700_000_000, nanoseconds: 0 };

interface Package {
  readonly name: string;
  readonly fields?: string;
  readonly files: Readonly<Record<string, string>>;
  readonly control?: Readonly<Record<string, string>>;
}

function build(folder: TemporaryFolder, { name, fields = "", files, control = {} }: Package): string {
  const root = folder.join(`${name}-root`);
  const head = `Package: ${name}\nVersion: 1.0\nArchitecture: amd64\nMaintainer: Nobody <nobody@example.org>\n`;
  const all = { ...files, "DEBIAN/control": `${head}${fields}Description: a package\n`, ...control };
  for (const [file, text] of Object.entries(all)) {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), text);
  }
  const deb = folder.join(`${name}.deb`);
  runPeer("dpkg-deb", ["--root-owner-group", "-Zxz", "-b", root, deb]);
  return deb;
}

async function unpack(
  debs: readonly string[],
): Promise<{ readonly tree: SystemTree; readonly warnings: readonly string[] }> {
  const tree = new SystemTree(now);
  mergeUsr(tree, "amd64");
  const unpacker = new Unpacker(tree);
  const packages = [];
  const contents = await readPackages(
    debs.map((file) => ({ path: file, sizeBytes: fs.statSync(file).size })),
    {},
  );
  for (const [n, file] of debs.entries()) {
    const own = contents[n];
    if (own === undefined) throw new Error(`${file} was not read`);
    const source = {
      name: "",
      version: "",
      architecture: "",
      essential: false,
      priority: "",
      section: "",
      control: new Map(),
    };
    packages.push(await unpacker.add({ ...source, file }, own));
  }
  writePackageInfo(tree, packages, "amd64");
  writeStatus(tree, packages);
  return { tree, warnings: unpacker.warnings };
}

test("files come where /bin leads, and dpkg reads the records", { skip }, async () => {
  await using folder = temporaryFolder();
  const deb = build(folder, {
    name: "one",
    files: { "bin/tool": "#!/bin/sh\n", "etc/one.conf": "setting\n", "usr/share/doc/one/README": "text\n" },
    control: { "DEBIAN/conffiles": "/etc/one.conf\n" },
  });
  const { tree } = await unpack([deb]);
  assert.equal(tree.read("/usr/bin/tool").toString(), "#!/bin/sh\n");
  assert.equal(tree.get("/bin", false).kind, "symlink");
  const database = folder.join("dpkg");
  for (const name of ["status", "info/one.list", "info/one.md5sums", "info/one.conffiles", "info/format"]) {
    const file = path.join(database, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, tree.read(`/var/lib/dpkg/${name}`));
  }
  const ask = (...words: string[]): string => runPeer("dpkg-query", ["--admindir", database, ...words]);
  assert.equal(ask("-W", "-f", "${Status} ${Version}", "one"), "install ok unpacked 1.0");
  assert.match(ask("-W", "-f", "${Conffiles}", "one"), /\/etc\/one\.conf [\da-f]{32}/);
  assert.match(ask("-L", "one"), /^\/bin\/tool$/m);
  assert.match(ask("-S", "/bin/tool"), /^one: /);
});

test("a file of another package is replaced where that is allowed, and else with a warning", { skip }, async () => {
  await using folder = temporaryFolder();
  const old = build(folder, { name: "old", files: { "usr/share/f": "old" } });
  const rival = build(folder, { name: "rival", files: { "usr/share/f": "rival" } });
  const successor = build(folder, { name: "successor", fields: "Replaces: old\n", files: { "usr/share/f": "new" } });
  const allowed = await unpack([old, successor]);
  assert.equal(allowed.tree.read("/usr/share/f").toString(), "new");
  assert.deepEqual(allowed.warnings, []);
  const backwards = await unpack([successor, old]);
  assert.equal(backwards.tree.read("/usr/share/f").toString(), "new");
  const refused = await unpack([old, rival]);
  assert.match(refused.warnings.join(), /"\/usr\/share\/f" of rival replaces the one of old/);
});

test("a package that is cut short or bent ends in a failure that names it", { skip }, async () => {
  await using folder = temporaryFolder();
  const whole = fs.readFileSync(build(folder, { name: "whole", files: { "usr/share/f": "text".repeat(1000) } }));
  const bent = folder.join("bent.deb");
  for (const length of [0, 8, 100, whole.length - 40]) {
    fs.writeFileSync(bent, whole.subarray(0, length));
    await assert.rejects(unpack([bent]), /cannot (read|unpack) ".*bent\.deb"/);
  }
  const at = whole.indexOf("7zXZ", whole.indexOf("data.tar"));
  const changed = Buffer.from(whole);
  changed.fill(0x55, at + 20, at + 60);
  fs.writeFileSync(bent, changed);
  await assert.rejects(unpack([bent]), /cannot read ".*bent\.deb"/);
});

test("what a script has done is taken back to the mark", () => {
  const tree = new SystemTree(now);
  tree.makeDirectories("/etc/d");
  tree.write("/etc/kept", "before", 0o600);
  tree.symlink("kept", "/etc/link");
  const facts = (): string =>
    JSON.stringify([tree.names("/etc"), tree.read("/etc/link").toString(), tree.get("/etc/kept")]);
  const before = facts();
  const mark = tree.mark();
  tree.write("/etc/link", "after");
  tree.change("/etc/kept", { mode: 0o777, uid: 5 });
  tree.rename("/etc/kept", "/etc/d/moved");
  tree.remove("/etc/link");
  tree.makeDirectories("/etc/new/er");
  tree.remove("/etc/d", true);
  assert.notEqual(JSON.stringify(tree.names("/etc")), "[]");
  tree.revert(mark);
  assert.equal(facts(), before);
});
