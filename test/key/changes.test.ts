/** Which entries keep changes, and what these are told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isoOfChanges, keepingChanges } from "../../src/key/changes.ts";
import { conventions } from "../../src/key/recognise/conventions.ts";
import type { BootEntry, RecognisedIso } from "../../src/key/recognise/index.ts";

const persistenceOf = (id: string): BootEntry["persistence"] => conventions.find((one) => one.id === id)?.persistence;
const common = { firmwares: ["bios", "uefi"], architecture: "x86_64" } as const;

function isoOf(...entries: readonly BootEntry[]): RecognisedIso {
  return { volumeLabel: "", volumeUuid: "", title: "Live", entries, evidence: [], warnings: [] };
}

function live(id: string, ...words: readonly string[]): BootEntry {
  const how = { kind: "linux", kernel: "/vmlinuz", initrds: ["/initrd"], words } as const;
  const persistence = persistenceOf(id);
  return { title: "Live", how, ...common, ...(persistence === undefined ? {} : { persistence }) };
}

const wish = {
  source: "x.iso",
  isoPath: "/a/x.iso",
  sizeBytes: 2 ** 30,
  there: new Set<string>(),
  host: "fat",
} as const;

function wordsOf({ iso }: ReturnType<typeof keepingChanges>, at: number): readonly string[] {
  const how = iso.entries[at]?.how;
  return how?.kind === "linux" ? how.words : [];
}

test("a system of live-boot looks for its changes by name, and finds its ISO in a way that lets it", () => {
  const made = keepingChanges(isoOf(live("live-boot", "boot=live", "findiso=${isoPath}", "quiet", "--", "x")), wish);
  assert.deepEqual(
    made.iso.entries.map(({ title }) => title),
    ["Live", "Live, with changes kept"],
  );
  assert.deepEqual(wordsOf(made, 0), ["boot=live", "findiso=${isoPath}", "quiet", "--", "x"]);
  assert.deepEqual(wordsOf(made, 1), [
    "boot=live",
    "quiet",
    "fromiso=/dev/disk/by-uuid/${isosUuid}${isoPath}",
    "persistence",
    "persistence-storage=file",
    "persistence-path=/a/x.iso.changes",
    "--",
    "x",
  ]);
  assert.equal(made.changes.path, "/a/x.iso.changes/persistence");
  assert.equal(isoOfChanges(made.changes.path), "/a/x.iso");
  assert.equal(isoOfChanges("/a/x.iso"), undefined);
  assert.equal(made.changes.isThere, false);
  const again = keepingChanges(isoOf(live("live-boot")), { ...wish, there: new Set([made.changes.path]) });
  assert.equal(again.changes.isThere, true);
});

test("an ISO that is started by its own menu keeps changes by an entry of the key", () => {
  const { persistence, how } = live("casper", "boot=casper", "iso-scan/filename=${isoPath}");
  assert.ok(persistence !== undefined && how.kind === "linux");
  const menu = { title: "Ubuntu", how: { kind: "configfile", path: "/l.cfg" }, ...common } as const;
  const made = keepingChanges(isoOf({ ...menu, persistence, withoutMenu: how }), wish);
  assert.deepEqual(
    made.iso.entries.map((entry) => entry.how.kind),
    ["configfile", "linux"],
  );
  const words = ["boot=casper", "iso-scan/filename=${isoPath}", "persistent", "persistent-path=/a/x.iso.changes"];
  assert.deepEqual(wordsOf(made, 1), words);
  assert.equal(made.changes.path, "/a/x.iso.changes/writable");
});

test("where changes cannot be kept it is said why", () => {
  const refused = (message: RegExp, entry: BootEntry, other: Partial<typeof wish> | object = {}): void => {
    assert.throws(() => keepingChanges(isoOf(entry), { ...wish, ...other }), { message });
  };
  refused(/cannot keep changes of "x.iso": nothing is known of its system/, live("archiso"));
  refused(/it says itself that it keeps none \("nopersistence"\)/, live("live-boot", "nopersistence"));
  refused(/its system looks for them on FAT only, and isos is ext4/, live("casper"), { host: "ext4" });
  refused(/FAT holds files below 4 GiB/, live("live-boot"), { sizeBytes: 2 ** 32 });
  refused(/its system would not find them by that name/, live("live-boot"), { isoPath: "/my system.iso" });
  refused(/cannot keep changes in 1 MiB: 16 MiB are needed/, live("live-boot"), { sizeBytes: 2 ** 20 });
  keepingChanges(isoOf(live("live-boot")), { ...wish, host: "ext4", sizeBytes: 2 ** 33 });
});
