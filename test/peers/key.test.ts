/** `key create`, `add`, `list`, `remove`, `run`, by whoever is nobody: keys that start real ISO files. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { test } from "node:test";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { holdfast } from "./holdfast-as-nobody.ts";
import { livePeers, makeLiveIso } from "./live-iso.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers } from "./qemu.ts";

const checkers = ["sfdisk", "fsck.fat", "e2fsck", "grub-script-check", "mcopy", "xorriso"];
const skip = skipWithout(...checkers, ...machinePeers.bios, ...machinePeers.uefi);
const skipLive = skip === false ? skipWithout(...livePeers) : skip;
const emulated = ["--no-acceleration", "--no-network", "--cpus", "1", "--disk", "virtio", "--time-limit", "150"];
const mib = 2 ** 20;

function folderForAnyone(): TemporaryFolder {
  const folder = temporaryFolder();
  fs.chmodSync(folder.path, 0o777);
  return folder;
}

function done(...words: readonly string[]): string {
  const { status, said } = holdfast("key", ...words);
  assert.equal(status, 0, said);
  return said;
}

/** Fails, and leaves the image as it is. */
function refused(image: string, message: RegExp, ...words: readonly string[]): void {
  const before = hashOf(image);
  const { status, said } = holdfast("key", ...words);
  assert.notEqual(status, 0, said);
  assert.match(said, message);
  assert.equal(hashOf(image), before, "nothing has changed");
}

function hashOf(image: string): string {
  return createHash("sha256").update(fs.readFileSync(image)).digest("hex");
}

/** Where the partitions of a key begin, in bytes. */
function startsOf(image: string): { readonly boot: number; readonly isos: number } {
  const [boot = 0, isos = 0] = Array.from(runPeer("sfdisk", ["-d", image]).matchAll(/start= *(\d+)/g), ([, start]) => {
    return Number(start) * 512;
  }).slice(-2);
  return { boot, isos };
}

/** What table and file systems are is in order, and every script on the key is one. */
function assertSound(image: string, folder: TemporaryFolder): void {
  runPeer("sfdisk", ["--verify", image]);
  const { boot, isos } = startsOf(image);
  const part = folder.join("part");
  runPeer("dd", [`if=${image}`, `of=${part}`, "bs=1M", `skip=${boot / mib}`, `count=${(isos - boot) / mib}`]);
  runPeer("fsck.fat", ["-n", part]);
  const scripts = folder.join("scripts");
  fs.mkdirSync(scripts);
  runPeer("mcopy", ["-s", "-n", "-i", part, "::boot/grub/*.cfg", "::boot/grub/isos", scripts]);
  const names = fs.readdirSync(scripts, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".cfg"));
  assert.ok(names.length >= 3);
  for (const name of names) runPeer("grub-script-check", [`${scripts}/${name}`]);
  fs.rmSync(scripts, { recursive: true });
  runPeer("dd", [`if=${image}`, `of=${part}`, "bs=1M", `skip=${isos / mib}`]);
  const isExt = fs.readFileSync(part).readUInt16LE(1024 + 56) === 0xef53;
  if (isExt) runPeer("e2fsck", ["-fn", part]);
  else runPeer("fsck.fat", ["-n", part]);
  fs.rmSync(part);
}

function makePlainIso(folder: TemporaryFolder, name: string, files: Readonly<Record<string, string>>): string {
  const tree = folder.join("tree of an iso");
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(`${tree}/${file}`.replace(/\/[^/]*$/, ""), { recursive: true });
    fs.writeFileSync(`${tree}/${file}`, text);
  }
  const iso = folder.join(name);
  runPeer("xorriso", ["-as", "mkisofs", "-quiet", "-r", "-J", "-V", "PLAIN", "-o", iso, tree]);
  fs.rmSync(tree, { recursive: true });
  return iso;
}

/** An ISO with a menu for loopback and nothing to start. */
const loopbackFiles = { "boot/grub/loopback.cfg": "menuentry one { true; }\n" };

test(
  "an ISO that was added starts by BIOS, one that was copied into a folder by UEFI",
  { skip: skipLive },
  async () => {
    await using folder = folderForAnyone();
    const key = folder.join("key.img");
    done("create", key, "--size", "100MB");
    const iso = makeLiveIso(folder, "Test live.iso", { proof: "the ISO itself says so" });
    assert.match(done("add", key, iso), /^added Test_live.iso \(.*\): TEST_LIVE$/m);
    const offset = `${key}@@${startsOf(key).isos}`;
    runPeer("mmd", ["-i", offset, "::tools"]);
    runPeer("mcopy", ["-i", offset, iso, "::tools/copied.iso"]);
    const before = hashOf(key);
    const running = (file: string): string => `running from /mnt/${file} on /dev/vda2: the ISO itself says so`;
    done("run", key, "--choose", "Test_live.iso", "--until", running("Test_live.iso"), ...emulated);
    done("run", key, "--uefi", "--choose", "tools/copied.iso", "--until", running("tools/copied.iso"), ...emulated);
    assert.equal(hashOf(key), before, "running a key leaves it as it is");
    assertSound(key, folder);
  },
);

test(
  "a key with GPT and ext4 starts a copied ISO by its own menu, a rescue disc from memory",
  { skip: skipLive },
  async () => {
    await using folder = folderForAnyone();
    const key = folder.join("key.img");
    done("create", key, "--size", "100MB", "--table", "gpt", "--fs", "ext4");
    done("add", key, makeLiveIso(folder, "menu.iso", { proof: "by its own menu", hasLoopbackMenu: true }));
    done("run", key, "--choose", "menu", "--until", "menu.iso on /dev/vda3: by its own menu", ...emulated);
    assertSound(key, folder);
  },
);

test("the smallest key has at most 32 MiB, and is made twice the same", { skip }, async () => {
  await using folder = folderForAnyone();
  for (const [table, fileSystem] of [
    ["mbr", "fat32"],
    ["gpt", "ext4"],
  ] as const) {
    const [one, two] = [folder.join(`${table} one`), folder.join(`${table} two`)];
    const words = ["--size", "auto", "--table", table, "--fs", fileSystem];
    const uuid = ["--uuid", "11111111-2222-3333-4444-555555555555"];
    process.env["SOURCE_DATE_EPOCH"] = "1700000000";
    for (const key of [one, two]) done("create", key, ...words, ...uuid);
    delete process.env["SOURCE_DATE_EPOCH"];
    assert.ok(fs.statSync(one).size <= 32 * mib);
    assert.equal(hashOf(one), hashOf(two));
    assertSound(one, folder);
    assert.match(done("list", one), /a key of \d+ MiB/);
  }
});

test("what is added is listed and removed; the key is sound after each", { skip }, async () => {
  await using folder = folderForAnyone();
  const iso = makePlainIso(folder, "größer & besser.iso", loopbackFiles);
  for (const [table, fileSystem] of [
    ["mbr", "fat32"],
    ["gpt", "ext4"],
  ] as const) {
    const key = folder.join(`${table}.img`);
    done("create", key, "--size", "auto", "--table", table, "--fs", fileSystem);
    done("add", key, iso);
    done("add", key, iso, "--name", "Deutsch/it's $HOME");
    assertSound(key, folder);
    const { files } = JSON.parse(done("list", key, "--json"));
    const names = files.map(({ name }: { readonly name: string }) => name).toSorted();
    assert.deepEqual(names, ["Deutsch/it's $HOME.iso", "grosser_besser.iso"]);
    assert.deepEqual(files[0].entries, [
      { title: "PLAIN", kind: "configfile", firmwares: ["bios", "uefi"], architecture: "x86_64" },
    ]);
    done("remove", key, "it's $HOME");
    assert.match(done("remove", key, "grosser_besser.iso"), /^removed grosser_besser.iso$/m);
    assert.deepEqual(JSON.parse(done("list", key, "--json")).files, []);
    assertSound(key, folder);
  }
});

test("what cannot be added is refused, and the key stays as it is", { skip }, async () => {
  await using folder = folderForAnyone();
  const key = folder.join("key.img");
  const iso = makePlainIso(folder, "some.iso", loopbackFiles);
  done("create", key, "--size", "auto");
  done("add", key, iso);
  refused(key, /has "some.iso" already.*\nhint: .*--name/, "add", key, iso);
  refused(key, /has "SOME.ISO" already/, "add", key, iso, "--name", "SOME.ISO");
  const other = folder.join("other.iso");
  fs.copyFileSync(iso, other);
  refused(key, /cannot open "other that is not there/, "add", key, "other that is not there.iso", other);
  fs.writeFileSync(other, "no disc at all");
  refused(key, /cannot add .*other.iso.*: there is no ISO 9660 or UDF in it/, "add", key, other);
  refused(key, /cannot add .*: it is not known how it starts/, "add", key, makePlainIso(folder, "odd.iso", { a: "b" }));
  const large = makePlainIso(folder, "large.iso", { ...loopbackFiles, large: "x".repeat(20 * mib) });
  refused(key, /\d+ MiB are needed, the key has .* free, .* are missing/, "add", key, large);
  fs.truncateSync(large, 5 * 1024 ** 3);
  refused(key, /FAT holds files below 4 GiB\nhint: .*--fs ext4/, "add", key, large);
  refused(key, /the key has none of that name/, "remove", key, "none.iso");
  refused(iso, /as a key: it was not made by key create/, "add", iso, iso);
  const before = hashOf(key);
  done("add", key, iso, "--name", "new", "--dry-run");
  done("remove", key, "some.iso", "--dry-run");
  assert.equal(hashOf(key), before);
});
