/** ISO images by every program that makes them, with every pair of its options: all is read as bsdtar reads it. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { openPlace } from "../../src/disk/open-disk.ts";
import { factsOf, factsOfFolder, type FileFacts } from "../filesystem/file-facts.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { combinationsOf, grubBoot, isoPrograms, makeTree } from "./iso-makers.ts";
import { runPeer, skipWithout } from "./peer.ts";

/** What is compared with Rock Ridge. */
function rockRidgeFacts(facts: ReadonlyMap<string, FileFacts>): Record<string, unknown> {
  const entries = [...facts].filter(([path]) => path !== "" && path.toLowerCase() !== "rr_moved");
  return Object.fromEntries(
    entries.map(([path, { kind, mode, sizeBytes, modified, hash, linkTarget, firstPath }]) => {
      const time = kind === "directory" ? undefined : modified.seconds;
      const ownMode = kind === "symlink" ? undefined : mode; // in a folder, links have none of their own
      return [path, { kind, mode: ownMode, sizeBytes, time, hash, linkTarget, firstPath }];
    }),
  );
}

/** What is compared without: names, of plain ISO 9660 in lower case, and contents. */
function plainFacts(facts: ReadonlyMap<string, FileFacts>): Record<string, unknown> {
  const entries = [...facts].filter(([path]) => path !== "");
  return Object.fromEntries(
    entries.map(([path, { kind, sizeBytes, hash }]) => [path.toLowerCase(), { kind, sizeBytes, hash }]),
  );
}

/** Reads an image as `disk ls` and `disk get` do, and compares it with what bsdtar takes out of it. */
async function assertReadAlike(image: string, folder: TemporaryFolder, what: string): Promise<void> {
  const out = folder.join("out");
  fs.mkdirSync(out);
  runPeer("bsdtar", ["-xpf", image, "-C", out, "--no-same-owner"]);
  await using open = await openPlace({ image });
  const { fileSystem } = open;
  const comparable = fileSystem.info.features.includes("rock ridge") ? rockRidgeFacts : plainFacts;
  const wanted = comparable(factsOfFolder(out));
  const found = comparable(await factsOf(fileSystem));
  assert.deepEqual(Object.keys(found).toSorted(), Object.keys(wanted).toSorted(), what);
  for (const [path, facts] of Object.entries(wanted)) assert.deepEqual(found[path], facts, `${what}: ${path}`);
  const problems: string[] = [];
  for await (const { severity, message } of fileSystem.check()) if (severity === "error") problems.push(message);
  assert.deepEqual(problems, [], what);
  runPeer("chmod", ["-R", "u+rwX", out]);
  fs.rmSync(out, { recursive: true });
}

for (const program of isoPrograms) {
  test(
    `every pair of the options of ${program}`,
    { skip: skipWithout(program, "xorriso", "bsdtar", grubBoot) },
    async () => {
      await using folder = temporaryFolder();
      const [tree, image] = [folder.join("tree"), folder.join("image")];
      makeTree(tree);
      for (const { words, make } of combinationsOf(program)) {
        make(image, tree);
        await assertReadAlike(image, folder, `${program} ${words.join(" ")}`);
        fs.rmSync(image);
      }
    },
  );
}

/** How files are packed. */
const packers: Readonly<
  Record<
    string,
    {
      readonly needs: readonly string[];
      readonly make: (words: readonly string[], image: string, tree: string) => void;
    }
  >
> = {
  "xorriso, version 1": {
    needs: ["xorriso"],
    make: (_, image, tree) => packByXorriso(["-zisofs", "default"], image, tree),
  },
  "xorriso, version 2": {
    needs: ["xorriso"],
    make: (_, image, tree) => packByXorriso(["-zisofs", "version_2=on"], image, tree),
  },
  mkzftree: {
    needs: ["mkzftree", "genisoimage"],
    make: (_, image, tree) => {
      runPeer("mkzftree", [tree, `${tree}.packed`]);
      runPeer("genisoimage", ["-quiet", "-R", "-z", "-o", image, `${tree}.packed`]);
    },
  },
};

function packByXorriso(words: readonly string[], image: string, tree: string): void {
  runPeer("xorriso", [
    ...words,
    "-outdev",
    image,
    "-map",
    tree,
    "/",
    "-set_filter_r",
    "--zisofs",
    "/",
    "--",
    "-commit",
  ]);
}

for (const [packer, { needs, make }] of Object.entries(packers)) {
  test(`unpacks what was packed by ${packer}`, { skip: skipWithout(...needs) }, async () => {
    await using folder = temporaryFolder();
    const [tree, image] = [folder.join("tree"), folder.join("image")];
    makeTree(tree);
    fs.writeFileSync(
      `${tree}/large`,
      Buffer.concat([fs.readFileSync(process.execPath).subarray(0, 3_000_001), Buffer.alloc(500_000)]),
    );
    make([], image, tree);
    await using open = await openPlace({ image });
    const contents = (facts: ReadonlyMap<string, FileFacts>) =>
      Object.fromEntries([...facts].map(([path, { kind, sizeBytes, hash }]) => [path, { kind, sizeBytes, hash }]));
    const found = contents(await factsOf(open.fileSystem));
    delete found["rr_moved"];
    assert.deepEqual(found, contents(factsOfFolder(tree)));
    const packed = await open.fileSystem.stat((await open.fileSystem.find(open.fileSystem.rootId, "large"))!);
    assert.ok(packed.allocatedBytes < 2_500_000, "it was packed");
  });
}

test(
  "the verbs look into a disc that boots from a stick too",
  { skip: skipWithout("grub-mkrescue", "xorriso") },
  async () => {
    await using folder = temporaryFolder();
    const [tree, image] = [folder.join("tree"), folder.join("image")];
    makeTree(tree);
    runPeer("grub-mkrescue", ["-o", image, tree]);
    const run = async (...words: readonly string[]): Promise<string> => {
      const { status, stdout, stderr } = await runHoldfast(["disk", ...words]);
      assert.deepEqual({ status, stderr }, { status: 0, stderr: "" }, words.join(" "));
      return stdout;
    };
    const shown = await run("show", image);
    assert.match(shown, /^ +table +(gpt|mbr), /m);
    assert.match(shown, /^ +file system +iso9660 "ISOIMAGE", UUID \d{4}(-\d\d){6}, /m);
    assert.match(shown, /^note: boots by El Torito: BIOS, no emulation, image at sector \d+$/m);
    assert.match(await run("ls", "-l", `${image}:/`), /^lr-xr-xr-x .* link -> numbers$/m);
    assert.equal(await run("cat", `${image}:/a/up`), "capital\n");
    await run("get", `${image}:/Upper`, folder.join("out"));
    assert.equal(fs.readFileSync(folder.join("out", "readme2.text"), "utf8"), "small\n");
    assert.match(await run("check", image), /no errors/);
    const { status, stderr } = await runHoldfast(["disk", "rm", `${image}:/link`]);
    assert.equal(status, 1);
    assert.match(stderr, /^holdfast: cannot change the file system: ISO 9660 is only read\n/);
  },
);
