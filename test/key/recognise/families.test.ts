/** Every row of the table: from an ISO laid out as its members' the expected entry of the menu comes out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { families } from "../../../src/key/recognise/families/index.ts";
import { skipWithout } from "../../peers/peer.ts";
import { archRows } from "./families/arch.ts";
import { debianRows } from "./families/debian.ts";
import { fedoraRows } from "./families/fedora.ts";
import { independentRows } from "./families/independent.ts";
import { otherRows } from "./families/others.ts";
import { label } from "./families/row.ts";
import { recogniseSample } from "./sample-iso.ts";

const rows = [...debianRows, ...archRows, ...fedoraRows, ...independentRows, ...otherRows];

for (const { name, family, files, expected } of rows) {
  test(`recognises ${name}`, { skip: skipWithout("xorriso") }, async () => {
    const iso = await recogniseSample(files, label);
    assert.equal(iso.family, family);
    if ("refusal" in expected) {
      assert.match(iso.refusal?.reason ?? "", expected.refusal);
      assert.deepEqual(iso.entries, []);
      return;
    }
    assert.equal(iso.refusal, undefined);
    const how = JSON.stringify(iso.entries[0]?.how).replaceAll(iso.volumeUuid, "VOLUME");
    assert.deepEqual(JSON.parse(how), expected);
  });
}

test("no row of the table is without its example", () => {
  const shown = new Set(rows.map(({ family }) => family));
  const missing = families.map(({ id }) => id).filter((id) => !shown.has(id));
  assert.deepEqual(missing, []);
});
