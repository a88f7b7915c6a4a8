import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { editDistance, nearestWord } from "../../src/cli/suggestion.ts";

test("the nearest word is suggested, and none that is far", () => {
  const verbs = ["create", "show", "ls", "cat", "get", "check"];
  assert.equal(nearestWord("crate", verbs), "create");
  assert.equal(nearestWord("craete", verbs), "create");
  assert.equal(nearestWord("SHOW", verbs), "show");
  assert.equal(nearestWord("che", verbs), "check");
  assert.equal(nearestWord("sl", verbs), "ls");
  assert.equal(nearestWord("format", verbs), undefined);
  assert.equal(nearestWord("", verbs), undefined);
});

test("a distance is none between equal words, the same both ways, and at most the longer length", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });
  fc.assert(
    fc.property(word, word, (one, other) => {
      const distance = editDistance(one, other);
      assert.equal(distance === 0, one === other);
      assert.equal(distance, editDistance(other, one));
      assert.ok(distance <= Math.max(one.length, other.length));
    }),
  );
});
