/** `key create`, `add`, `list`, `remove`, `run`, by whoever is nobody: keys that start real ISO files. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/base/index.ts";
import { isoMenu } from "../../src/key/iso-menu.ts";
import { addIsos, createKey, listKey, removeIsos } from "../../src/key/index.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { livePeers, makeIso, makeLiveIso, makeProgramIso, makeRescueIso } from "./live-iso.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers } from "./qemu.ts";
import { done, folderForAnyone } from "./nobodys-key.ts";

const checkers = ["sfdisk", "fsck.fat", "e2fsck", "grub-script-check", "mcopy", "xorriso"];
const skip = skipWithout(...checkers, ...machinePeers.bios, ...machinePeers.uefi);
const skipLive = skip === false ? skipWithout(...livePeers) : skip;
const skipRescue = skip === false ? skipWithout("grub-mkrescue", "/usr/lib/syslinux/memdisk") : skip;
const emulated = ["--no-acceleration", "--no-network", "--cpus", "1", "--disk", "virtio", "--time-limit", "150"];
const mib = 2 ** 20;

/** Fails, and leaves the image as it is. */
async function refused(key: string, message: RegExp, work: () => Promise<unknown>): Promise<void> {
  const before = hashOf(key);
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof Failure);
    assert.match(`${error.message}\n${error.hint ?? ""}`, message);
    return true;
  });
  assert.equal(hashOf(key), before, "nothing has changed");
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

/** An ISO with a menu for loopback, and a kernel that is none. */
const loopbackFiles = {
  "boot/grub/loopback.cfg": "menuentry one {\n  linux /vmlinuz findiso=${iso_path}\n  initrd /initrd\n}\n",
  vmlinuz: "kernel",
  initrd: "initrd",
};

test(
  "an ISO that was added starts by BIOS, one that was copied into a folder by UEFI",
  { skip: skipLive },
  async () => {
    await using folder = folderForAnyone();
    const key = folder.join("key.img");
    done("create", key, "--size", "100MB");
    const iso = makeLiveIso(folder, "Test live.iso", "the ISO itself says so");
    assert.match(done("add", key, iso), /^added Test_live.iso \(.*\): Test GNU\/Linux Live$/m);
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
  "a key with GPT and ext4: an odd name, its own menu, a disc from memory, a program",
  { skip: skipRescue },
  async () => {
    await using folder = folderForAnyone();
    const key = folder.join("key.img");
    done("create", key, "--size", "100MB", "--table", "gpt", "--fs", "ext4");
    const says = 'echo "reached $iso_path"\n';
    const menu = `${says}${loopbackFiles["boot/grub/loopback.cfg"]}`;
    const iso = makeIso(folder, "own.iso", { ...loopbackFiles, "boot/grub/loopback.cfg": menu });
    const name = "Größe/it's $HOME, really #one";
    done("add", key, iso, "--name", name);
    done("run", key, "--choose", name, "--until", `reached /${name}.iso`, ...emulated);
    done("add", key, makeRescueIso(folder, "rescue.iso", "the rescue disc runs"));
    done("run", key, "--choose", "rescue.iso", "--until", "the rescue disc runs from pc", ...emulated);
    done("add", key, await makeProgramIso(folder, "program.iso", "the program runs"));
    done("run", key, "--uefi", "--choose", "program.iso", "--until", "the program runs on x86_64-efi", ...emulated);
    assertSound(key, folder);
  },
);

test("whatever names and titles have in them, the menu is a script", { skip }, async () => {
  await using folder = temporaryFolder();
  const text = fc.string({ unit: "binary", maxLength: 80 }).filter((one) => !one.includes("\0"));
  const words = fc.array(text, { maxLength: 4 });
  const how = fc.oneof(
    fc.record({ kind: fc.constant("linux" as const), kernel: text, initrds: words, words }),
    fc.record({ kind: fc.constant("configfile" as const), path: text }),
  );
  const entry = fc.record({
    title: text,
    how,
    firmwares: fc.subarray(["bios", "uefi"] as const),
    architecture: fc.constantFrom("i386", "x86_64", "arm64" as const),
  });
  const menus = fc.sample(fc.tuple(text, text, fc.array(entry, { minLength: 1, maxLength: 3 })), 200);
  const script = folder.join("menu.cfg");
  fs.writeFileSync(script, menus.map(([path, title, entries]) => isoMenu(`/${path}`, { title, entries })).join(""));
  runPeer("grub-script-check", [script]);
});

const quickly = { grubFrom: [], force: false, serial: false, nowMs: 1_700_000_000_000 };
const smallest = { ...quickly, sizeBytes: "auto" } as const;
const adding = { isRehearsal: false, nowMs: 1_700_000_000_000 };
const kinds = [
  ["mbr", "fat32"],
  ["gpt", "ext4"],
] as const;

for (const [table, isosKind] of kinds) {
  test(`${table}, ${isosKind}: the smallest key; what is added is listed and removed`, { skip }, async () => {
    await using folder = folderForAnyone();
    const iso = makeIso(folder, "größer & besser.iso", loopbackFiles);
    const key = folder.join("key.img");
    const identity = { uuid: "11111111-2222-3333-4444-555555555555", sourceDateEpoch: 1_700_000_000 };
    const { report } = await createKey({ ...smallest, ...identity, path: key, table, isosKind });
    assert.ok(fs.statSync(key).size <= 32 * mib);
    assert.deepEqual(report.files, []);
    if (table === "gpt") {
      await createKey({ ...smallest, ...identity, nowMs: 1, path: folder.join("again"), table, isosKind });
      assert.equal(hashOf(folder.join("again")), hashOf(key));
    }
    await addIsos({ ...adding, key, isos: [iso] });
    await addIsos({ ...adding, key, isos: [iso], name: "Deutsch/it's $HOME" });
    assertSound(key, folder);
    const { files } = await listKey(key);
    assert.deepEqual(files.map(({ name, title }) => `${name}: ${title}`).toSorted(), [
      "Deutsch/it's $HOME.iso: TEST ISO (Deutsch/it's $HOME.iso)",
      "grosser_besser.iso: TEST ISO",
    ]);
    await removeIsos({ ...adding, key, names: ["it's $HOME", "grosser_besser.iso"] });
    assert.deepEqual((await listKey(key)).files, []);
    assertSound(key, folder);
  });
}

test("what cannot be added is refused, and the key stays as it is", { skip }, async () => {
  await using folder = folderForAnyone();
  const key = folder.join("key.img");
  const iso = makeIso(folder, "some.iso", loopbackFiles);
  await createKey({ ...smallest, path: key, table: "mbr", isosKind: "fat32" });
  await addIsos({ ...adding, key, isos: [iso] });
  const refusedToAdd = (message: RegExp, isos: readonly string[], name?: string): Promise<void> => {
    return refused(key, message, () => addIsos({ ...adding, key, isos, ...(name === undefined ? {} : { name }) }));
  };
  await refusedToAdd(/has "some.iso" already.*\n.*--name/, [iso]);
  await refusedToAdd(/has "SOME.ISO" already/, [iso], "SOME.ISO");
  await refusedToAdd(/cannot use the name "a:b"/, [iso], "a:b");
  const other = folder.join("other.iso");
  fs.copyFileSync(iso, other);
  await refusedToAdd(/cannot open "none.iso"/, [other, "none.iso"]);
  fs.writeFileSync(other, "no disc at all");
  await refusedToAdd(/cannot add .*other.iso": there is no ISO 9660 or UDF in it/, [other]);
  const whole = makeIso(folder, "whole.iso", { ...loopbackFiles, more: "x".repeat(mib) });
  fs.truncateSync(whole, mib / 2);
  await refusedToAdd(/cannot add .*whole.iso": it is cut off/, [whole]);
  await refusedToAdd(/cannot add .*data.iso": /, [makeIso(folder, "data.iso", { one: "file" })]);
  const large = makeIso(folder, "large.iso", { ...loopbackFiles, large: "x".repeat(20 * mib) });
  await refusedToAdd(/ MiB are needed, the key has .* free, .* are missing/, [large]);
  fs.truncateSync(large, 5 * 1024 ** 3);
  await refusedToAdd(/ 5 GiB are needed, the key has .* free/, [large]);
  await refused(key, /the key has none of that name/, () => removeIsos({ ...adding, key, names: ["none.iso"] }));
  await refused(iso, /as a key: it was not made by key create/, () => addIsos({ ...adding, key: iso, isos: [iso] }));
  const stop = new AbortController();
  const job = { signal: stop.signal, onProgress: () => stop.abort() };
  await assert.rejects(addIsos({ ...adding, key, isos: [iso], name: "new" }, job), { code: "interrupted" });
  assert.deepEqual(
    (await listKey(key)).files.map(({ name }) => name),
    ["some.iso"],
  );
  assertSound(key, folder);
  const nothing = folder.join("nothing");
  fs.mkdirSync(nothing);
  const notGrub = { ...smallest, path: folder.join("other key"), table: "mbr", isosKind: "fat32" } as const;
  await assert.rejects(createKey({ ...notGrub, grubFrom: [nothing] }), { message: /nothing that this disk needs/ });
  await assert.rejects(createKey({ ...notGrub, label: "longer than eleven" }), { message: /cannot use the label/ });
  assert.ok(!fs.readdirSync(folder.path).some((name) => name.startsWith("other key")));
  const before = hashOf(key);
  await addIsos({ ...adding, key, isos: [iso], name: "new", isRehearsal: true });
  await removeIsos({ ...adding, key, names: ["some.iso"], isRehearsal: true });
  assert.equal(hashOf(key), before);
});
