import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareVersions } from "../../src/debian/control/index.ts";
import { runPeer, skipWithout } from "./peer.ts";

const pairs = 300;

test("versions compare as dpkg compares them", { skip: skipWithout("dpkg") }, () => {
  const part = fc.string({
    unit: fc.constantFrom("0", "0", "1", "9", "a", "A", "z", "~", "~", "+", ".", "-"),
    maxLength: 7,
  });
  const version = fc
    .tuple(fc.constantFrom("", "0:", "1:"), fc.nat(11), part)
    .map(([epoch, number, rest]) => `${epoch}${number}${rest.endsWith("-") ? `${rest}1` : rest}`);
  const sample = fc.sample(fc.tuple(version, version), { numRuns: pairs, seed: 12 });
  const script = `while read a b; do
    if dpkg --compare-versions "$a" lt "$b"; then echo -1; elif dpkg --compare-versions "$a" eq "$b"; then echo 0; else echo 1; fi
  done`;
  const input = `${sample.map((pair) => pair.join(" ")).join("\n")}\n`;
  const said = runPeer("sh", ["-c", script], { input }).trim().split("\n");
  assert.equal(said.length, pairs);
  for (const [n, [a, b]] of sample.entries()) {
    assert.equal(Math.sign(compareVersions(a, b)), Number(said[n]), `${a} and ${b}`);
  }
});
