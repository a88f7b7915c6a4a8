import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeOem, encodeOem } from "../../../src/filesystem/fat/code-page.ts";
import { longEntry } from "../../../src/filesystem/fat/directory-entry.ts";
import { namedSlots } from "../../../src/filesystem/fat/directory-reader.ts";
import { refuseBadName } from "../../../src/filesystem/fat/file-name.ts";
import { aliasOf, decodeShortName, keyOf, plainShortName } from "../../../src/filesystem/fat/short-name.ts";
import {
  editFileSystem,
  openFileSystem,
  type EditableFileSystem,
  type FileSystem,
} from "../../../src/filesystem/index.ts";
import { emptyFat, now } from "./sample-fat.ts";

const file = { kind: "file", mode: 0o644, uid: 0, gid: 0, modified: now, sizeBytes: 0 } as const;

async function namesIn(fileSystem: FileSystem): Promise<string[]> {
  const names: string[] = [];
  for await (const items of fileSystem.list(fileSystem.rootId)) names.push(...items.map(({ name }) => name));
  return names;
}

function make(fileSystem: EditableFileSystem, name: string): Promise<number> {
  return fileSystem.create({ directory: fileSystem.rootId, name }, file);
}

test("a name of eight and three characters needs no long one, in whatever one case its parts are", () => {
  const shown = (name: string): string | undefined => {
    const plain = plainShortName(name);
    return plain === undefined ? undefined : `${keyOf(plain.bytes)}|${decodeShortName(plain.bytes, plain.caseBits)}`;
  };
  assert.equal(shown("BOOTX64.EFI"), "BOOTX64 EFI|BOOTX64.EFI");
  assert.equal(shown("grub.cfg"), "GRUB    CFG|grub.cfg");
  assert.equal(shown("README.txt"), "README  TXT|README.txt");
  assert.equal(shown("initrd"), "INITRD     |initrd");
  assert.equal(shown("a~1{}!#$"), "A~1{}!#$   |a~1{}!#$");
  for (const name of ["Readme.txt", "nine_char", "a.b.c", "a.text", ".profile", "ä", "a b", "a+b", "a."]) {
    assert.equal(shown(name), undefined, name);
  }
});

test("a long name's short one is what fits of it, and a number that no other has", () => {
  const taken = new Set<string>();
  const alias = (name: string): string => {
    const key = keyOf(aliasOf(name, (one) => taken.has(one)));
    assert.ok(!taken.has(key));
    taken.add(key);
    return key;
  };
  assert.equal(alias("Readme.txt"), "README  TXT");
  assert.equal(alias("readme text.tar.gz"), "README~1GZ ");
  assert.equal(alias("readme text2.tar.gz"), "README~2GZ ");
  assert.equal(alias(".profile"), "PROFIL~1   ");
  assert.equal(alias("a+b,c.d"), "A_B_C~1 D  ");
  assert.equal(alias("日本語"), "___~1      ");
  assert.equal(alias("..."), "_~1        ");
  for (let n = 0; n < 3000; n++) alias(`the same beginning ${n}`);
});

test("every character that FAT holds survives in a name, of any length", async () => {
  const device = await emptyFat("fat16", 8 * 2 ** 20);
  const names = [
    ...Array.from({ length: 40 }, (_, n) => `${String.fromCodePoint(0x3b1 + n)}${"x".repeat(n)}`),
    "ein Name mit Leerzeichen.und.Punkten",
    "😀".repeat(127),
    "\u00e5" + "y".repeat(254),
    "a".repeat(12),
    "a".repeat(13),
    "a".repeat(26),
    "  vorn",
    ".verborgen",
    "+,;=[]",
  ];
  {
    await using fileSystem = await editFileSystem(device, { now });
    for (const name of names) await make(fileSystem, name);
    await fileSystem.commit();
    assert.deepEqual(await namesIn(fileSystem), names);
  }
  await using fileSystem = await openFileSystem(device);
  assert.deepEqual(await namesIn(fileSystem), names);
  for (const name of names) {
    assert.notEqual(await fileSystem.find(fileSystem.rootId, name.toUpperCase()), undefined, name);
  }
});

test("a name that FAT cannot hold is refused, with the reason", () => {
  for (const [name, why] of [
    ["a:b", /":" in it/],
    ["a\tb", /"\\t" in it/],
    ["end.", /ends in a dot/],
    ["end ", /ends in a dot or a space/],
    ["x".repeat(256), /more than 255/],
    ["\udcff", /not valid UTF-8/],
    ["..", /is not one/],
  ] as const) {
    assert.throws(() => refuseBadName(name), { name: "Failure", code: "failed", message: why });
  }
});

test("a name in another case is the same name, and so is the short one beside a long one", async () => {
  await using fileSystem = await editFileSystem(await emptyFat("fat12", 2 ** 20), { now });
  const id = await make(fileSystem, "Readme File.txt");
  assert.equal(await fileSystem.find(fileSystem.rootId, "README FILE.TXT"), id);
  assert.equal(await fileSystem.find(fileSystem.rootId, "readme~1.txt"), id);
  await assert.rejects(make(fileSystem, "readme file.TXT"), { code: "exists", message: /the same name to FAT/ });
  await assert.rejects(make(fileSystem, "README~1.TXT"), { code: "exists", message: /as its short name/ });
  const place = { directory: fileSystem.rootId, name: "readme file.txt" };
  await fileSystem.rename(place, { ...place, name: "README file.txt" });
  assert.deepEqual(await namesIn(fileSystem), ["README file.txt"]);
  assert.equal(await fileSystem.find(fileSystem.rootId, "Readme File.txt"), id, "the file is the same one");
});

test("a part of a long name that belongs to nothing is passed over and told of", async () => {
  const device = await emptyFat("fat12", 2 ** 20);
  await using fileSystem = await editFileSystem(device, { now });
  for (const name of ["first long name.txt", "second long name.txt"]) await make(fileSystem, name);
  await fileSystem.commit();
  const root = device.bytes.subarray(Buffer.from(device.bytes.buffer).indexOf("SAMPLE     (", 512));
  const slots = [...namedSlots(root)];
  assert.deepEqual(
    slots.map(({ name, firstSlot, slot }) => [name, firstSlot, slot]),
    [
      ["first long name.txt", 1, 3],
      ["second long name.txt", 4, 6],
    ],
  );
  longEntry.patch(root, { checksum: 77 }, 32);
  const orphans: number[] = [];
  assert.deepEqual(
    [...namedSlots(root, (slot) => void orphans.push(slot))].map(({ name, isLong }) => [name, isLong]),
    [
      ["FIRSTL~1.TXT", false],
      ["second long name.txt", true],
    ],
  );
  assert.ok(orphans.length > 0);
});

test("code page 437 is read and written alike", () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  assert.deepEqual(encodeOem(decodeOem(all)), all);
  assert.equal(decodeOem(Uint8Array.of(0x8e, 0x99, 0x9a, 0xe1)), "ÄÖÜß");
  assert.equal(encodeOem("日"), undefined);
});
