import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../../src/backup/lvm/config-text.ts";
import { encodePhysicalHead, readVolumeGroup } from "../../src/backup/lvm/index.ts";
import { Failure } from "../../src/base/index.ts";
import { lvmIds, sampleGroup } from "./sample-lvm.ts";

const mib = 2 ** 20;

test("LVM's text is understood: values, lists, sections, comments", () => {
  const { values, sections } = parseConfig(
    'a = 1 # one\nb="x \\"{\\" # y"\nc = [ "d", 2, ]\ne.f-g {\nh = []\ni { j = -3 } }',
  );
  assert.deepEqual(
    [...values],
    [
      ["a", 1],
      ["b", 'x "{" # y'],
      ["c", ["d", 2]],
    ],
  );
  assert.deepEqual(sections.get("e.f-g")?.values.get("h"), []);
  assert.equal(sections.get("e.f-g")?.sections.get("i")?.values.get("j"), -3);
});

test("LVM's text that is cut off or wrong is damaged", () => {
  const isDamaged = (error: unknown): boolean => error instanceof Failure && error.code === "damaged";
  for (const text of [
    "a",
    "a =",
    "a = [1",
    "a {",
    "}",
    "a = b",
    "a = 1 }",
    "a = {",
    '"a" = 1',
    "a = 1,5",
    "a ; b",
    "a { ".repeat(99),
  ]) {
    assert.throws(() => parseConfig(text), isDamaged, text);
  }
  const whole = sampleGroup();
  for (let length = whole.indexOf("vg {"); length < whole.lastIndexOf("}"); length += 7) {
    assert.throws(() => readVolumeGroup(whole.slice(0, length), "vg"), Failure, `${length}`);
  }
});

test("a group tells where the pieces of its volumes are", () => {
  const { physical, logical } = readVolumeGroup(sampleGroup(), "vg");
  assert.deepEqual(physical[1], { id: lvmIds[1], deviceBytes: 21 * mib, dataAt: mib, endAt: 21 * mib });
  assert.deepEqual(logical[0], {
    name: "root",
    sizeBytes: 9 * mib,
    stretches: [
      { at: 0, lengthBytes: 6 * mib, on: lvmIds[0], from: 5 * mib },
      { at: 6 * mib, lengthBytes: 3 * mib, on: lvmIds[1], from: 3 * mib },
    ],
  });
  const striped = logical.find(({ name }) => name === "striped");
  assert.equal(striped?.stretches.length, 64);
  assert.deepEqual(striped?.stretches[3], {
    at: 3 << 16,
    lengthBytes: 1 << 16,
    on: lvmIds[1],
    from: 17 * mib + (1 << 16),
  });
});

test("volumes that are more than stripes are named, and those that pass an end are damaged", () => {
  const named = (error: unknown): boolean => {
    return error instanceof Failure && error.code === "unsupported" && /root is of type "thin"/.test(error.message);
  };
  assert.throws(() => readVolumeGroup(sampleGroup("thin"), "vg"), named);
  for (const [from, to] of [
    ['"pv1", 2\n', '"pv1", 18\n'],
    ['"pv1", 2\n', '"pv2", 2\n'],
    ["stripe_size = 128", "stripe_size = 0"],
    ["pe_count = 20", "pe_count = 21"],
    ["extent_size = 2048", "extent_size = 99999999999999"],
  ] as const) {
    const text = sampleGroup().replace(from, to);
    assert.notEqual(text, sampleGroup());
    assert.throws(
      () => readVolumeGroup(text, "vg"),
      (error) => error instanceof Failure && error.code === "damaged",
    );
  }
});

test("a description that does not fit in front of the extents is refused", () => {
  const { physical, text } = readVolumeGroup(sampleGroup(), "vg");
  assert.throws(() => encodePhysicalHead({ ...physical[0]!, dataAt: 6144 }, text), /there is no room for it/);
});
