import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { JsonListDocument } from "../../src/cli/json-document.ts";
import { plain, type Output } from "../../src/cli/output.ts";

test("a document that is printed as it comes is the one that was meant", async () => {
  const members = fc.dictionary(fc.constantFrom("image", "path", "partition", "errorCount"), fc.jsonValue());
  await fc.assert(
    fc.asyncProperty(members, fc.array(fc.jsonValue()), fc.jsonValue(), async (head, items, end) => {
      let text = "";
      const output: Output = {
        isTerminal: false,
        columns: 80,
        style: plain,
        async write(data) {
          text += String(data);
        },
        async flush() {},
      };
      const document = await JsonListDocument.open(output, { ...head, absent: undefined }, "items");
      for (const item of items) await document.add(item);
      await document.close({ end });
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify({ ...head, items, end })));
    }),
  );
});
