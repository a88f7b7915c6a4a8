import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { plain, type Output } from "../../src/cli/output.ts";
import { ProgressBar, progressLine, ProgressLines } from "../../src/cli/progress-bar.ts";
import { textWidth } from "../../src/cli/text-width.ts";

function recordingOutput(): Output & { readonly texts: string[] } {
  const texts: string[] = [];
  return {
    texts,
    isTerminal: true,
    columns: 80,
    style: plain,
    async write(data) {
      texts.push(String(data));
    },
    async flush() {},
  };
}

test("a line shows how far the work is, how fast, and how long it takes", () => {
  const progress = { phase: "filling", doneBytes: 300 * 2 ** 20, totalBytes: 1200 * 2 ** 20 };
  assert.equal(
    progressLine(progress, { columns: 80, seconds: 2 }),
    "filling  █████░░░░░░░░░░░░░░░░░░  25%  300 MiB of 1.17 GiB  150 MiB/s  6 s left",
  );
  const ofPhase = { doneBytes: 30, totalBytes: 40 };
  assert.equal(
    progressLine({ ...progress, phase: "saving sda2", ofPhase }, { columns: 80, seconds: 2 }),
    "saving sda2 75%  ███░░░░░░░░░░░░  25%  300 MiB of 1.17 GiB  150 MiB/s  6 s left",
  );
  assert.equal(progressLine({ phase: "reading", doneBytes: 1024 }, { columns: 80, seconds: 0 }), "reading  1 KiB");
});

test("a line never fills the terminal's last column", () => {
  const progress = fc.record({ phase: fc.constant("filling"), doneBytes: fc.nat(), totalBytes: fc.nat() });
  fc.assert(
    fc.property(progress, fc.integer({ min: 1, max: 200 }), fc.nat(5000), (report, columns, seconds) => {
      assert.ok(textWidth(progressLine(report, { columns, seconds })) < columns);
    }),
  );
});

test("the bar is drawn at most ten times a second, and leaves an empty line", () => {
  const output = recordingOutput();
  let now = 0;
  {
    using bar = new ProgressBar(output, () => now);
    for (now = 0; now <= 1000; now += 10) bar.onProgress({ phase: "filling", doneBytes: now, totalBytes: 1000 });
  }
  assert.equal(output.texts.length, 11);
  assert.ok(output.texts.every((text) => text.startsWith("\r\u001b[K")));
  assert.equal(output.texts.at(-1), "\r\u001b[K");
});

test("work that is done in a moment draws nothing", () => {
  const output = recordingOutput();
  {
    using bar = new ProgressBar(output, () => 0);
    bar.onProgress({ phase: "filling", doneBytes: 1, totalBytes: 1 });
  }
  assert.deepEqual(output.texts, []);
});

test("JSON lines tell each phase at once", () => {
  const output = recordingOutput();
  using lines = new ProgressLines(output, () => 0);
  for (const phase of ["reading", "reading", "filling"]) lines.onProgress({ phase, doneBytes: 5 });
  assert.deepEqual(
    output.texts.map((text) => JSON.parse(text) as unknown),
    [{ progress: { phase: "reading", doneBytes: 5 } }, { progress: { phase: "filling", doneBytes: 5 } }],
  );
});

test("JSON lines tell the speed and the time left once they can", () => {
  const output = recordingOutput();
  let now = 0;
  using lines = new ProgressLines(output, () => now);
  for (now = 0; now <= 2000; now += 1000) lines.onProgress({ phase: "saving", doneBytes: now, totalBytes: 4000 });
  const [, , last] = output.texts.map((text) => JSON.parse(text) as unknown);
  assert.deepEqual(last, {
    progress: { phase: "saving", doneBytes: 2000, totalBytes: 4000, bytesPerSecond: 1000, secondsLeft: 2 },
  });
});
