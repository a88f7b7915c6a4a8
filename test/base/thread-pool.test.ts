import assert from "node:assert/strict";
import { test } from "node:test";
import { ThreadPool } from "../../src/base/index.ts";

function script(text: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`);
}

const doubling = script(`
  import { parentPort, workerData } from "node:worker_threads";
  parentPort.on("message", (n) => {
    if (n === 13) process.exit(3);
    parentPort.postMessage(n * workerData);
  });
`);

test("each request gets its own answer, however many there are for few threads", async () => {
  await using pool = await ThreadPool.start<number, number>(doubling, { count: 2, data: 2 });
  const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => pool.ask(n < 13 ? n : n + 1)));
  assert.deepEqual(
    answers,
    Array.from({ length: 40 }, (_, n) => 2 * (n < 13 ? n : n + 1)),
  );
});

test("once a thread has ended nobody waits for ever", async () => {
  await using pool = await ThreadPool.start<number, number>(doubling, { count: 1, data: 2 });
  const asked = [1, 13, 2, 3, 4].map((n) => pool.ask(n));
  const ended = await Promise.allSettled(asked);
  assert.equal(ended[0]?.status, "fulfilled");
  for (const one of ended.slice(1)) assert.equal(one.status, "rejected");
  await assert.rejects(pool.ask(5), /ended before/);
});

test("a pool that is disposed leaves no request unanswered", async () => {
  const pool = await ThreadPool.start<number, number>(script("setInterval(() => {}, 1000)"), { count: 1, data: 0 });
  const asked = pool.ask(1);
  const rejected = assert.rejects(asked, /ended before/);
  await pool[Symbol.asyncDispose]();
  await rejected;
});
