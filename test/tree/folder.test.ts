import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { Failure } from "../../src/base/index.ts";
import {
  copyTree,
  FolderSource,
  FolderTarget,
  type DataPiece,
  type FileEntry,
  type TreeEntry,
} from "../../src/tree/index.ts";
import { contentOf, randomTree, sourceOf } from "../filesystem/random-tree.ts";
import { temporaryFolder } from "../temp.ts";

const isRoot = process.geteuid?.() === 0;

interface ReadEntry {
  readonly entry: TreeEntry;
  readonly content: Buffer;
  readonly dataBytes: number;
}

async function readFolder(folder: string): Promise<Map<string, ReadEntry>> {
  await using source = await FolderSource.open(folder);
  const found = new Map<string, ReadEntry>();
  for await (const batch of source.entries()) {
    for (const entry of batch) {
      const content = Buffer.alloc(entry.kind === "file" ? entry.sizeBytes : 0);
      let dataBytes = 0;
      if (entry.kind !== "hardlink") {
        for await (const { at, bytes } of (entry.content ?? []) as AsyncIterable<DataPiece>) {
          content.set(bytes, at);
          dataBytes += bytes.length;
        }
      }
      found.set(entry.path, { entry, content, dataBytes });
    }
  }
  return found;
}

test(
  "any tree written to a folder is read back the same",
  { skip: !isRoot && "only root can set owners" },
  async () => {
    await fc.assert(
      fc.asyncProperty(randomTree(60), async (tree) => {
        await using folder = temporaryFolder();
        const target = await FolderTarget.create(folder.join("out"));
        await copyTree(sourceOf(tree), target);
        assert.deepEqual(target.warnings, []);
        const found = await readFolder(folder.join("out"));
        found.delete("");
        assert.deepEqual([...found.keys()].toSorted(), tree.entries.map(({ path }) => path).toSorted());
        const byPath = new Map(tree.entries.map((entry) => [entry.path, entry]));
        for (const expected of tree.entries) {
          // Which of several names comes first is the folder's to say.
          const named = found.get(expected.path)?.entry;
          const first = named?.kind === "hardlink" ? found.get(named.linkTarget) : found.get(expected.path);
          const wanted = expected.kind === "hardlink" ? byPath.get(expected.linkTarget) : expected;
          assert.ok(first !== undefined && wanted !== undefined && wanted.kind !== "hardlink");
          const { path: _path, fill: _fill, stride: _stride, ...common } = wanted;
          const { path: _firstPath, accessed, changed, content: _content, ...there } = first.entry as FileEntry;
          const { xattrs: thereAttributes, ...thereRest } = there;
          const { xattrs: wantedAttributes, ...wantedRest } = common;
          assert.deepEqual(thereRest, wantedRest);
          assert.ok(accessed !== undefined && changed !== undefined);
          if (wanted.kind === "file") assert.ok(first.content.equals(contentOf(wanted)), expected.path);
          const attributes = Object.fromEntries([...(thereAttributes ?? [])].map(([k, v]) => [k, Buffer.from(v)]));
          const expectedAttributes = Object.fromEntries(
            [...(wantedAttributes ?? [])].map(([k, v]) => [k, Buffer.from(v)]),
          );
          assert.deepEqual(attributes, expectedAttributes);
        }
      }),
      { numRuns: 20 },
    );
  },
);

test("the order is the same every time, parents first, however many threads look", async () => {
  await using folder = temporaryFolder();
  for (let n = 0; n < 30; n++) {
    fs.mkdirSync(folder.join(`d${n}`, "deep"), { recursive: true });
    for (let m = 0; m < 100; m++) fs.writeFileSync(folder.join(`d${n}`, `f${m}`), `${n} ${m}`);
  }
  const first = [...(await readFolder(folder.path)).keys()];
  const second = [...(await readFolder(folder.path)).keys()];
  assert.deepEqual(first, second);
  assert.equal(first.length, 1 + 30 * 102);
  const seen = new Set<string>();
  for (const path of first) {
    if (path !== "") assert.ok(seen.has(path.split("/").slice(0, -1).join("/")), path);
    seen.add(path);
  }
});

test("a sparse file keeps its holes, a large one its content", async () => {
  await using folder = temporaryFolder();
  const sizeBytes = 64 * 2 ** 20;
  const fd = fs.openSync(folder.join("sparse"), "wx");
  fs.ftruncateSync(fd, sizeBytes);
  fs.writeSync(fd, Buffer.from("middle"), 0, 6, sizeBytes / 2);
  fs.closeSync(fd);
  const large = Buffer.alloc(5_000_001, "large ");
  fs.writeFileSync(folder.join("large"), large);
  const found = await readFolder(folder.path);
  const sparse = found.get("sparse");
  assert.ok(sparse !== undefined && sparse.dataBytes < 2 ** 20, `${sparse?.dataBytes} bytes of data`);
  assert.equal(sparse.content.toString("utf8", sizeBytes / 2, sizeBytes / 2 + 6), "middle");
  assert.ok(found.get("large")?.content.equals(large));
});

test("names that are not UTF-8 are kept as they are", async () => {
  await using folder = temporaryFolder();
  const odd = Buffer.concat([Buffer.from(`${folder.path}/odd-`), Buffer.of(0xff, 0xfe)]);
  fs.writeFileSync(odd, "content");
  const found = await readFolder(folder.path);
  const entry = [...found.values()].find(({ entry: { path } }) => path.startsWith("odd-"));
  assert.equal(entry?.entry.path, "odd-\udcff\udcfe");
  assert.equal(entry?.content.toString(), "content");
  const target = await FolderTarget.create(folder.join("copy"));
  await target.add({ ...(entry?.entry as FileEntry), content: [{ at: 0, bytes: Buffer.from("content") }] });
  await target.finish();
  const listed = fs.readdirSync(folder.join("copy"), { encoding: "buffer" });
  assert.deepEqual(listed, [Buffer.concat([Buffer.from("odd-"), Buffer.of(0xff, 0xfe)])]);
});

test("what is left out is left out, what is no folder is refused", async () => {
  await using folder = temporaryFolder();
  fs.writeFileSync(folder.join("in"), "in");
  fs.writeFileSync(folder.join("out"), "out");
  await using source = await FolderSource.open(folder.path, { leaveOut: [folder.join("out")] });
  const paths: string[] = [];
  for await (const batch of source.entries()) paths.push(...batch.map(({ path }) => path));
  assert.deepEqual(paths, ["", "in"]);
  await assert.rejects(FolderSource.open(folder.join("in")), (error) => error instanceof Failure);
  await assert.rejects(FolderSource.open(folder.join("none")), { code: "not-found" });
});

test("a file that cannot be read is named", { skip: !isRoot && "needs root to make one" }, async () => {
  await using folder = temporaryFolder();
  fs.chmodSync(folder.path, 0o755);
  fs.writeFileSync(folder.join("secret"), "content", { mode: 0 });
  const script = `
    import { FolderSource } from ${JSON.stringify(new URL("../../src/tree/index.ts", import.meta.url).href)};
    const source = await FolderSource.open(process.argv[1]);
    try { for await (const _ of source.entries()); } catch (error) { console.log(error.message); }
  `;
  const args = ["--input-type=module", "-e", script, folder.path];
  const said = execFileSync(process.execPath, args, { uid: 65534, gid: 65534, encoding: "utf8" });
  assert.match(said, /cannot read ".*\/secret": permission denied/);
});

const time = { seconds: 1, nanoseconds: 0 };
const file = (path: string): FileEntry => ({
  path,
  kind: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  modified: time,
  sizeBytes: 4,
  content: [{ at: 0, bytes: Buffer.from("evil") }],
});

test("a hostile tree cannot write outside of its folder", async () => {
  const link = (path: string, linkTarget: string): TreeEntry => ({
    ...file(path),
    kind: "symlink",
    sizeBytes: 0,
    linkTarget,
  });
  const attacks: TreeEntry[][] = [
    [file("../outside")],
    [file("a/../../outside")],
    [file("/outside")],
    [file("a//b")],
    [link("a", ".."), file("a/outside")],
    [link("a", "../outside"), file("a")],
    [link("a", ".."), { path: "b", kind: "hardlink", linkTarget: "a/outside-there" }],
    [{ path: "b", kind: "hardlink", linkTarget: "../outside-there" }],
  ];
  for (const force of [false, true]) {
    for (const [n, attack] of attacks.entries()) {
      await using folder = temporaryFolder();
      fs.writeFileSync(folder.join("outside-there"), "mine");
      const target = await FolderTarget.create(folder.join("in"), { force });
      const done = (async () => {
        for (const entry of attack) await target.add(entry);
        await target.finish();
      })();
      const isReplacing = force && n === 5; // replaces the link itself, which is as it should be
      if (isReplacing) await done;
      else await assert.rejects(done, (error) => error instanceof Failure);
      assert.deepEqual(fs.readdirSync(folder.path).toSorted(), ["in", "outside-there"]);
      assert.equal(fs.readFileSync(folder.join("outside-there"), "utf8"), "mine");
    }
  }
});

test("a folder that is not empty is taken only with force", async () => {
  await using folder = temporaryFolder();
  fs.mkdirSync(folder.join("there"));
  fs.writeFileSync(folder.join("there", "a"), "old");
  await assert.rejects(FolderTarget.create(folder.join("there")), { code: "exists" });
  const target = await FolderTarget.create(folder.join("there"), { force: true });
  await target.add(file("a"));
  await target.finish();
  assert.equal(fs.readFileSync(folder.join("there", "a"), "utf8"), "evil");
});
