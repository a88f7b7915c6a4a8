/** What is run of LVM around a save from a snapshot, and what is left where that goes wrong. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import { after, test } from "node:test";
import type { SavedBackup, SaveOptions, SaveRequest } from "../../src/backup/index.ts";
import { makerOf, tagOf, thisMaker } from "../../src/backup/snapshot/maker.ts";
import { Failure, type FailureCode } from "../../src/base/index.ts";
import { skipWithoutLoop } from "../peers/loop-stick.ts";
import { runPeer, skipWithout } from "../peers/peer.ts";
import { temporaryFolder } from "../temp.ts";
import { FailingReader } from "./failing-reader.ts";
import { fakeLvm, type FakeLvm } from "./fake-lvm.ts";
import { save } from "./sample-disk.ts";

const mib = 2 ** 20;
const skip = skipWithoutLoop() || skipWithout("mke2fs");
const shared = temporaryFolder();
const image = shared.join("image");

after(() => shared[Symbol.asyncDispose]());

function makeImage(): void {
  if (fs.existsSync(image)) return;
  fs.mkdirSync(shared.join("tree"));
  fs.writeFileSync(shared.join("tree/fstab"), "UUID=1 / ext4\n");
  runPeer("mke2fs", ["-q", "-t", "ext4", "-d", shared.join("tree"), image, "8M"]);
}

interface Tried {
  readonly lvm: FakeLvm;
  readonly into: string;
  readonly saved: () => Promise<SavedBackup>;
}

type More = Partial<SaveRequest> & { readonly options?: SaveOptions; readonly freeExtents?: number };

/** A test with a volume of its own, `saved` saves it from a snapshot. */
async function withLvm({ options, freeExtents, ...more }: More, work: (tried: Tried) => Promise<void>): Promise<void> {
  makeImage();
  await using folder = temporaryFolder();
  await using lvm = fakeLvm(folder, image, freeExtents);
  const into = folder.join("backups");
  fs.mkdirSync(into);
  const request = { env: lvm.env, snapshot: {}, ...more };
  const saved = () => save(lvm.device, into, request, { systemRoot: lvm.root, ...options });
  await work({ lvm, into, saved });
}

/** Nothing is left where saving fails: no snapshot and no folder. */
async function assertFails(
  { lvm, into, saved }: Tried,
  { code, message, hint }: { readonly code: FailureCode; readonly message: RegExp; readonly hint?: RegExp },
): Promise<void> {
  await assert.rejects(saved, (error) => {
    assert.ok(error instanceof Failure, String(error));
    assert.match(error.message, message);
    if (hint !== undefined) assert.match(error.hint ?? "", hint);
    assert.equal(error.code, code);
    return true;
  });
  assert.deepEqual(lvm.volumes(), ["my-root"]);
  assert.deepEqual(fs.readdirSync(into), []);
}

const list =
  "lvs --reportformat json --units b --nosuffix -o vg_name,lv_name,lv_attr,origin,lv_tags,lv_size,snap_percent,vg_free,vg_extent_size vg-main";
const create = "lvcreate --yes --snapshot --name NEW --addtag TAG";
const remove = "lvremove --yes vg-main/NEW";

test("a volume is saved under its own name from a snapshot, which is then removed", { skip }, async () => {
  await withLvm({ isCheckedBySystem: true }, async ({ lvm, saved }) => {
    const { path, disk, parts, warnings } = await saved();
    assert.deepEqual([disk, parts.map(({ name }) => name), warnings], ["vg-main-my-root", ["vg-main-my-root"], []]);
    assert.ok(fs.existsSync(`${path}/vg-main-my-root.ext4-ptcl-img.zst.aa`));
    assert.match(
      fs.readFileSync(`${path}/clonezilla-img`, "utf8"),
      new RegExp(`^${lvm.device}: vg-main-my-root, `, "m"),
    );
    // 8 MiB of 4 MiB extents, and what says where what is overwritten was.
    assert.deepEqual(lvm.commands(), [list, `${create} --extents 4 vg-main/my-root`, list, remove]);
    assert.deepEqual(lvm.volumes(), ["my-root"]);
  });
});

test("the room for a snapshot is what was asked for, or what there is", { skip }, async () => {
  const sizes: readonly (readonly [More, string])[] = [
    [{ freeExtents: 3 }, "--extents 2"],
    [{ freeExtents: 1 }, "--extents 1"],
    [{ snapshot: { sizeBytes: 6_000_000 } }, "--size 6000000b"],
  ];
  for (const [more, words] of sizes) {
    await withLvm(more, async ({ lvm, saved }) => {
      await saved();
      assert.equal(lvm.commands()[1], `${create} ${words} vg-main/my-root`);
    });
  }
  await withLvm({ freeExtents: 0 }, async ({ lvm, saved }) => {
    lvm.add({ lv_name: "my-root", lv_attr: "Vwi-aotz--" });
    lvm.makes({ lv_attr: "Vwi-a-tz-k", snap_percent: "" });
    await saved();
    assert.equal(lvm.commands()[1], `${create} --activate y --ignoreactivationskip vg-main/my-root`);
  });
});

test("without room, or of what has no snapshots, none is taken", { skip }, async () => {
  await withLvm({ freeExtents: 0 }, async (tried) => {
    await assertFails(tried, {
      code: "no-space",
      message: /^cannot take a snapshot of "\/dev\/loop\d+": its group "vg-main" has no room left, and /,
      hint: /^"vgextend vg-main DEVICE" adds to it$/,
    });
    assert.deepEqual(tried.lvm.commands(), [list]);
  });
  await withLvm({ freeExtents: 2, snapshot: { sizeBytes: 9 * mib } }, async (tried) => {
    await assertFails(tried, { code: "no-space", message: /: 9 MiB are wanted, "vg-main" has 8 MiB left$/ });
  });
  await withLvm({}, async (tried) => {
    tried.lvm.add({ lv_name: "my-root", lv_attr: "swi-aos---", origin: "other" });
    await assertFails(tried, { code: "unsupported", message: /: it is a snapshot itself$/ });
  });
  await withLvm({}, async ({ into }) => {
    const saving = save(image, into, { snapshot: {} });
    await assert.rejects(saving, /^Failure: cannot take a snapshot of ".*image": it is no logical volume of LVM$/);
    await assert.rejects(
      save(`${image}2`, into, { snapshot: {} }),
      /^Failure: cannot find ".*image2": it is not there$/,
    );
  });
});

test("what is said with --snapshot has to go with it", { skip }, async () => {
  await withLvm({ isFrozen: true }, (tried) =>
    assertFails(tried, { code: "usage", message: /--snapshot and --freeze/ }),
  );
  await withLvm({ isResumed: true }, (tried) => {
    return assertFails(tried, { code: "usage", message: /each snapshot is another one$/ });
  });
});

test("where lvcreate fails its reason is told", { skip }, async () => {
  await withLvm({}, async (tried) => {
    tried.lvm.fails({ lvcreate: "  WARNING: something\n  Insufficient free space: 4 extents needed\n\n" });
    await assertFails(tried, {
      code: "failed",
      message: /^cannot use LVM for ".*": lvcreate ended with 5: Insufficient free space: 4 extents needed$/,
      hint: /^"lvcreate .* vg-main\/my-root" says more$/,
    });
  });
});

test("of a snapshot that is broken at the end nothing is kept", { skip }, async () => {
  const full = /^cannot save ".*": its snapshot of 8 MiB was full before everything was read$/;
  const broken: readonly (readonly [Parameters<FakeLvm["makes"]>[0], FailureCode, RegExp])[] = [
    [{ lv_attr: "swi-I-s---", snap_percent: "100.00" }, "no-space", full],
    [{ lv_attr: "swi-S-s---" }, "no-space", full],
    [{ snap_percent: "100.00" }, "no-space", full],
    [{ lv_attr: "swi---s---" }, "failed", /its snapshot "vg-main\/holdfast-.*" is not active any more: swi---s---$/],
    [{ lv_attr: "Vwi-aotzF-" }, "failed", /its snapshot .* is not active any more/],
  ];
  for (const [row, code, message] of broken) {
    await withLvm({}, async (tried) => {
      tried.lvm.makes(row);
      await assertFails(tried, { code, message });
      assert.equal(tried.lvm.commands().at(-1), remove);
    });
  }
  await withLvm({}, async ({ lvm, saved }) => {
    lvm.makes({ snap_percent: "91.23" });
    assert.deepEqual((await saved()).warnings, [
      "its snapshot was 91 % full at the end: --snapshot-size makes it larger",
    ]);
  });
});

test("what cannot be read because the snapshot is broken is not taken for bad sectors", { skip }, async () => {
  let reads = 0;
  const options: SaveOptions = {
    throughDevice: (device) => new FailingReader(device, (sector) => sector > 4000 && ++reads > 0),
  };
  await withLvm({ options }, async (tried) => {
    tried.lvm.makes({ lv_attr: "swi-I-s---" });
    await assertFails(tried, { code: "no-space", message: /its snapshot of 8 MiB was full/ });
    assert.equal(reads, 1);
  });
  // What the volume itself cannot give is.
  await withLvm({ options }, async ({ saved }) => assert.ok(((await saved()).unreadable?.sectors ?? 0) > 0));
});

const asItHappens: SaveOptions = {
  onProgress({ phase }) {
    if (!phase.startsWith("saving")) return;
    throw new Failure("failed", "cannot save vg-main-my-root: as it happens", { hint: "wait" });
  },
};

test("interrupted, or failing for another reason, a save removes its snapshot", { skip }, async () => {
  const interrupt = new AbortController();
  const onProgress: SaveOptions["onProgress"] = ({ phase }) => {
    if (phase.startsWith("e2fsck")) interrupt.abort();
  };
  await withLvm({ options: { signal: interrupt.signal, onProgress }, isCheckedBySystem: true }, async (tried) => {
    await assertFails(tried, { code: "interrupted", message: /^interrupted$/ });
    assert.equal(tried.lvm.commands().at(-1), remove);
  });
  await withLvm({ options: asItHappens }, async (tried) => {
    await assertFails(tried, { code: "failed", message: /: as it happens$/, hint: /^wait$/ });
  });
});

test("a snapshot that cannot be removed is told of, and the backup is there", { skip }, async () => {
  const inUse = "  Logical volume vg-main/x in use.\n";
  const told =
    /the snapshot "(vg-main\/holdfast-.*)" is still there, "lvremove \1" removes it: .* ended with 5: Logical volume vg-main\/x in use\.$/;
  await withLvm({}, async ({ lvm, saved }) => {
    lvm.fails({ lvremove: inUse });
    const { path, warnings } = await saved();
    assert.ok(fs.existsSync(`${path}/parts`));
    assert.match(warnings.join(), told);
  });
  await withLvm({ options: asItHappens }, async ({ lvm, saved }) => {
    lvm.fails({ lvremove: inUse });
    await assert.rejects(saved, (error) => {
      assert.ok(error instanceof Failure);
      assert.match(error.message, /: as it happens$/);
      assert.match(error.hint ?? "", new RegExp(`^wait; ${told.source}`));
      return true;
    });
  });
});

test("snapshots that runs have left that were killed are removed, and no others", { skip }, async () => {
  const own = thisMaker();
  const volumes = {
    dead: { ...own, pid: 2 ** 22 + 1 },
    reused: { ...own, started: "1" },
    rebooted: { ...own, boot: "0a1b2c3d-0000-4000-8000-00000000abcd" },
    running: own,
    elsewhere: { ...own, host: `${os.hostname()}-2`, boot: "0a1b2c3d-0000-4000-8000-00000000abcd" },
  };
  await withLvm({}, async ({ lvm, saved }) => {
    for (const [name, maker] of Object.entries(volumes)) {
      lvm.add({ lv_name: name, lv_attr: "swi-a-s---", origin: "other", lv_tags: `mine,${tagOf(maker)}` });
    }
    lvm.add({ lv_name: "theirs", lv_attr: "swi-a-s---", origin: "my-root", lv_tags: "holdfast,backup" });
    lvm.add({ lv_name: "volume", lv_tags: tagOf(volumes.dead) });
    await saved();
    assert.deepEqual(lvm.volumes(), ["elsewhere", "my-root", "running", "theirs", "volume"]);
    const removed = ["dead", "rebooted", "reused"].map((name) => `lvremove --yes vg-main/${name}`);
    assert.deepEqual(lvm.commands().slice(0, 5), [list, ...removed, list]);
  });
});

test("a tag says what it was made of, and has only what LVM lets be in one", () => {
  const own = thisMaker();
  assert.deepEqual(makerOf(tagOf(own)), own);
  assert.match(tagOf(own), /^[A-Za-z0-9_+.\-/=!:&#]{1,1024}$/);
  for (const tag of ["", "holdfast", "holdfast:a:b", `x${tagOf(own)}`, `${tagOf(own)}:1`]) {
    assert.equal(makerOf(tag), undefined);
  }
});
