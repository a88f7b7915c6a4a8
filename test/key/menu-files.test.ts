/** What the key keeps of its ISO files, on a file system in memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/base/index.ts";
import { MemoryDevice } from "../../src/device/index.ts";
import { editFileSystem, makeFileSystem, openFileSystem } from "../../src/filesystem/index.ts";
import { parseSettings, settingsText } from "../../src/key/key-settings.ts";
import { entriesText, filesBelow, placeFor, readRecords, recordTest, updateMenu } from "../../src/key/menu-files.ts";
import type { RecognisedIso } from "../../src/key/recognise/index.ts";

const now = { seconds: 1_700_000_000, nanoseconds: 0 };
const menu = "/boot/grub/isos";

async function emptyDevice(): Promise<MemoryDevice> {
  const device = new MemoryDevice(new Uint8Array(5 * 2 ** 20));
  const wanted = { kind: "fat", uuid: "1234-ABCD", now } as const;
  await makeFileSystem(device, [], { wanted, place: { startLba: 0, geometry: { heads: 255, sectors: 63 } } });
  return device;
}

function iso(title: string): RecognisedIso {
  const how = { kind: "configfile", path: "/boot/grub/loopback.cfg" } as const;
  const entry = { title, how, firmwares: ["bios", "uefi"], architecture: "x86_64" } as const;
  return { volumeLabel: "", volumeUuid: "", title, entries: [entry], evidence: [], warnings: [] };
}

/** Adds these ISO files, in a folder or not, to those that are there. */
async function add(device: MemoryDevice, paths: readonly string[], there: readonly string[] = paths): Promise<void> {
  await using boot = await editFileSystem(device, { now });
  const added = new Map(paths.map((path) => [path, entriesText(path, 2048, iso(`Title of ${path}`))]));
  await updateMenu(boot, { isoPaths: new Set(there), added, now });
  await boot.commit();
}

async function textOf(device: MemoryDevice, path: string): Promise<string> {
  await using boot = await editFileSystem(device, { now });
  const { directory, name } = await placeFor(boot, path, now);
  const id = await boot.find(directory, name);
  let text = "";
  if (id !== undefined) for await (const { bytes } of boot.content(id)) text += Buffer.from(bytes).toString();
  return text;
}

test("the index of each folder has what is there, by title, numbers by their value", async () => {
  const device = await emptyDevice();
  await add(device, ["/b10.iso", "/b9.iso", "/tools/a'b.iso"]);
  const lines = (text: string): readonly string[] => text.split("\n").filter((line) => line.startsWith("key_iso"));
  assert.deepEqual(lines(await textOf(device, `${menu}/index.cfg`)), ["key_iso '/b9.iso'", "key_iso '/b10.iso'"]);
  const inFolder = lines(await textOf(device, `${menu}/tools/index.cfg`));
  assert.deepEqual(inFolder, [String.raw`key_iso '/tools/a'\''b.iso'`]);
  await add(device, ["/c.iso"], ["/c.iso", "/b9.iso"]);
  assert.deepEqual(lines(await textOf(device, `${menu}/index.cfg`)), ["key_iso '/b9.iso'", "key_iso '/c.iso'"]);
  await using boot = await openFileSystem(device);
  const records = await readRecords(boot);
  assert.deepEqual(
    records.map(({ path, title }) => [path, title]),
    [
      ["/b9.iso", "Title of /b9.iso"],
      ["/c.iso", "Title of /c.iso"],
    ],
  );
  const files = [`${menu}/b9.iso.cfg`, `${menu}/c.iso.cfg`, `${menu}/index.cfg`];
  assert.deepEqual((await filesBelow(boot, menu)).toSorted(), files);
});

test("sums are kept as files that sha256sum reads, and go with their ISO files", async () => {
  const device = await emptyDevice();
  const sum = { sha256: "ab".repeat(32), verified: { level: "none", evidence: [] } } as const;
  const text = (path: string): string => entriesText(path, 2048, iso(`Title\nof ${path}`), { sum });
  const added = new Map(["/b.iso", "/tools/a'b.iso"].map((path) => [path, text(path)]));
  const update = async (there: readonly string[], files: ReadonlyMap<string, string> = new Map()): Promise<void> => {
    await using boot = await editFileSystem(device, { now });
    await updateMenu(boot, { isoPaths: new Set(there), added: files, now });
    await boot.commit();
  };
  await update([...added.keys()], added);
  assert.equal(await textOf(device, `${menu}/tools/a'b.iso.sha256`), `${sum.sha256}  tools/a'b.iso\n`);
  const lines = (await textOf(device, "/boot/grub/checks.cfg"))
    .split("\n")
    .filter((line) => line.startsWith("key_sum"));
  assert.deepEqual(lines, [
    "key_sum '/b.iso' 'Title of /b.iso'",
    String.raw`key_sum '/tools/a'\''b.iso' 'Title of /tools/a'\''b.iso'`,
  ]);
  {
    await using boot = await openFileSystem(device);
    assert.deepEqual(
      (await readRecords(boot)).map(({ sha256, verified }) => ({ sha256, verified })),
      [sum, sum],
    );
  }
  await update([]);
  await using boot = await openFileSystem(device);
  assert.deepEqual(await filesBelow(boot, menu), [`${menu}/index.cfg`]);
});

test("what came of an entry is kept in the file of its entries, the last of each firmware; the entries stay", async () => {
  const device = await emptyDevice();
  await add(device, ["/a.iso"]);
  const before = await textOf(device, `${menu}/a.iso.cfg`);
  const seen = { entry: 1, at: "2026-11-30T12:00:00.000Z", version: "0.1.0", sizeBytes: 2048, modifiedSeconds: 7 };
  const bios = { ...seen, firmware: "bios", outcome: "silent", seen: "no sign of life\nwithin 9 s" } as const;
  const again = { ...bios, outcome: "started", seen: "Linux version 6" } as const;
  const uefi = { ...seen, firmware: "uefi", outcome: "refused", seen: "bad shim signature" } as const;
  for (const one of [bios, uefi, again]) {
    await using boot = await editFileSystem(device, { now });
    await recordTest(boot, "/a.iso", one, now);
    await recordTest(boot, "/merely copied.iso", one, now);
    await boot.commit();
  }
  await using boot = await openFileSystem(device);
  const [record, ...others] = await readRecords(boot);
  assert.deepEqual(others, []);
  assert.deepEqual(record?.tests, [uefi, again]);
  const after = await textOf(device, `${menu}/a.iso.cfg`);
  assert.equal(after.slice(after.indexOf("\n")), before.slice(before.indexOf("\n")));
});

test("a file of entries that someone has edited is no record, or a sound one", async () => {
  const evidence = [
    { file: "SUMS", algorithm: "sha256", signers: [{ userId: "a", fingerprint: "b", file: "c" }] },
  ] as const;
  const sum = { sha256: "ab".repeat(32), verified: { level: "signed", evidence } } as const;
  const whole = entriesText("/a.iso", 2048, iso("A title"), { sum });
  const edited = fc.tuple(fc.nat({ max: 450 }), fc.nat({ max: 20 }), fc.string({ unit: "binary", maxLength: 10 }));
  await fc.assert(
    fc.asyncProperty(edited, async ([at, length, text]) => {
      const device = await emptyDevice();
      await using boot = await editFileSystem(device, { now });
      const bytes = Buffer.from(whole.slice(0, at) + text + whole.slice(at + length));
      const place = await placeFor(boot, `${menu}/a.iso.cfg`, now);
      const metadata = { kind: "file", mode: 0o644, uid: 0, gid: 0, modified: now } as const;
      await boot.create(place, { ...metadata, sizeBytes: bytes.length, content: [{ at: 0, bytes }] });
      for (const { path, entries, sha256 = sum.sha256, verified = sum.verified } of await readRecords(boot)) {
        assert.equal(path, "/a.iso");
        assert.match(sha256, /^[0-9a-f]{64}$/);
        for (const { file, signers = [] } of verified.evidence) {
          assert.ok(typeof file === "string" && Array.isArray(signers));
        }
        for (const { firmwares } of entries) assert.ok(Array.isArray(firmwares));
      }
    }),
    { numRuns: 40 },
  );
});

test("what a key says of itself is read as it was written; another layout is refused", () => {
  const settings = {
    isosUuid: "1234-ABCD",
    isosLabel: "ISOS",
    isosPartition: "msdos2",
    serial: true,
    secureBootSigners: ["Joe's CA", "Other, Inc."],
    timeoutSeconds: 5,
  };
  assert.deepEqual(parseSettings(settingsText(settings), "key"), settings);
  const plain = { isosUuid: "", isosLabel: "Joe's ISOs", isosPartition: "gpt3", serial: false };
  assert.deepEqual(parseSettings(settingsText(plain), "key"), plain);
  assert.throws(() => parseSettings(settingsText(plain).replace("layout='1'", "layout='2'"), "key"), {
    code: "unsupported",
    message: /its layout is 2/,
  });
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      try {
        parseSettings(text, "key");
      } catch (error) {
        assert.ok(error instanceof Failure);
      }
    }),
  );
});
