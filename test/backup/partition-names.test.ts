import assert from "node:assert/strict";
import { test } from "node:test";
import { numberInName } from "../../src/backup/clonezilla/index.ts";

const numbers: readonly (readonly [name: string, number: number | undefined])[] = [
  ["sda2", 2],
  ["xvda12", 12],
  ["nvme0n1p3", 3],
  ["mmcblk0p1", 1],
  ["cciss-c0d0p4", 4],
  ["sda", undefined],
  ["nvme0n1", undefined],
  ["mmcblk1", undefined],
  ["loop7", undefined],
  ["vg-root", undefined],
  ["vg-data2", undefined],
  ["pve-vm--100--disk--1", undefined],
];

for (const [name, number] of numbers) {
  test(`${name} is ${number === undefined ? "no partition" : `partition ${number}`}`, () => {
    assert.equal(numberInName(name), number);
  });
}
