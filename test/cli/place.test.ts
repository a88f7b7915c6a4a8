import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/base/index.ts";
import { parsePlace } from "../../src/cli/place.ts";

const there = (...images: readonly string[]) => ({
  isImage: (path: string) => images.includes(path),
  hasDrives: false,
});

test("a place is an image, a partition of it, a path in it", () => {
  const cases = {
    big: { image: "big" },
    "big:/etc/fstab": { image: "big", path: "/etc/fstab" },
    "big:2/etc": { image: "big", partition: 2, path: "/etc" },
    "big:2": { image: "big", partition: 2 },
    "big:": { image: "big", path: "/" },
    "big:/": { image: "big", path: "/" },
    "dir/big.img:12/a b": { image: "dir/big.img", partition: 12, path: "/a b" },
    "big:/a:/b": { image: "big", path: "/a:/b" },
    "big:etc": { image: "big:etc" },
    "big:2x/etc": { image: "big:2x/etc" },
  };
  for (const [text, place] of Object.entries(cases)) assert.deepEqual(parsePlace(text, there()), place, text);
});

test("an image that is there wins over where the colon stands", () => {
  assert.deepEqual(parsePlace("big:1", there("big:1")), { image: "big:1" });
  assert.deepEqual(parsePlace("big:1", there("big", "big:1")), { image: "big:1" });
  assert.deepEqual(parsePlace("big:1", there("big")), { image: "big", partition: 1 });
  const dated = "at-12:30/big:2/etc";
  assert.deepEqual(parsePlace(dated, there("at-12:30/big")), { image: "at-12:30/big", partition: 2, path: "/etc" });
  assert.deepEqual(parsePlace(dated, there()), { image: "at-12", partition: 30, path: "/big:2/etc" });
});

test("a drive letter is not an image where there are drives", () => {
  const windows = { isImage: () => false, hasDrives: true };
  assert.deepEqual(parsePlace("C:/images/big:2/etc", windows), { image: "C:/images/big", partition: 2, path: "/etc" });
  assert.deepEqual(parsePlace(String.raw`C:\big:/etc`, windows), { image: String.raw`C:\big`, path: "/etc" });
  assert.deepEqual(parsePlace("C:/big", windows), { image: "C:/big" });
  assert.deepEqual(parsePlace("c:/etc", there()), { image: "c", path: "/etc" });
});

test("a place without an image, or with partition 0, is refused", () => {
  for (const text of ["", ":/etc", ":", "big:0/etc", "big:00"]) {
    assert.throws(
      () => parsePlace(text, there()),
      (error) => error instanceof Failure && error.code === "usage",
      text,
    );
  }
});

test("what is put together comes apart again", () => {
  const image = fc.string({ minLength: 1 }).filter((text) => !text.includes(":"));
  const partition = fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined });
  fc.assert(
    fc.property(image, partition, fc.string(), (name, number, rest) => {
      const place = parsePlace(`${name}:${number ?? ""}/${rest}`, there(name));
      assert.deepEqual(place, {
        image: name,
        ...(number === undefined ? {} : { partition: number }),
        path: `/${rest}`,
      });
    }),
  );
});
