/** What is written behind an answer holds nobody up, and may be lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Failure } from "../../../src/base/index.ts";
import { IndexDatabase } from "../../../src/mail/store/index-db/index.ts";
import { temporaryFolder } from "../../temp.ts";

const limit = 64;

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setTimeout(5);
}

test("a piece that cannot be written does not keep the others from it", async () => {
  await using folder = temporaryFolder();
  using index = IndexDatabase.open(folder.join("index"), { now: Date.now });
  const done: string[] = [];
  index.later(() => {
    throw new Failure("failed", "cannot open files as another user");
  });
  index.later(() => void index.run("INSERT INTO no_such_table VALUES (1)"));
  index.later(() => done.push("last"));
  assert.deepEqual(done, [], "nothing is done at once");
  await until(() => done.length > 0);
});

test("of too much that waits the oldest is written at once; what waits when the index is closed is let go", async () => {
  await using folder = temporaryFolder();
  const done: number[] = [];
  {
    using index = IndexDatabase.open(folder.join("index"), { now: Date.now });
    for (let n = 0; n <= limit; n++) index.later(() => void done.push(n));
    assert.deepEqual(done, [0]);
  }
  using index = IndexDatabase.open(folder.join("index"), { now: Date.now });
  index.later(() => void done.push(-1));
  await until(() => done.length > 1);
  assert.deepEqual(done, [0, -1]);
});
