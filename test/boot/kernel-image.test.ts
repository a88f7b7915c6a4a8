import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import * as zlib from "node:zlib";
import { architectureOf } from "../../src/boot/kernel-image.ts";
import { readPe } from "../../src/boot/pe-file.ts";
import { skipWithout } from "../peers/peer.ts";
import { someKernel } from "../peers/qemu.ts";
import { program } from "./signed-program.ts";

function setupHeader(version: number, flags: number): Buffer {
  const start = Buffer.alloc(1024);
  start.write("HdrS", 0x202);
  start.writeUInt16LE(version, 0x206);
  start.writeUInt16LE(flags, 0x236);
  return start;
}

function image(magic: number): Buffer {
  const start = Buffer.alloc(4096);
  start.writeUInt32LE(magic, 0x38);
  return start;
}

function elf(machine: number): Buffer {
  const start = Buffer.alloc(64);
  start.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  start.writeUInt16LE(machine, 0x12);
  return start;
}

test("a kernel's header tells the machine that it is for", () => {
  const cases: readonly (readonly [Buffer, string | undefined])[] = [
    [setupHeader(0x20f, 1), "x86_64"],
    [setupHeader(0x20f, 0), "i386"],
    [setupHeader(0x20b, 1), "i386"],
    [image(0x644d5241), "arm64"],
    [image(0x05435352), "riscv64"],
    [zlib.gzipSync(image(0x644d5241)), "arm64"],
    [elf(62), "x86_64"],
    [elf(183), "arm64"],
    [program(0xaa64), "arm64"],
    [Buffer.from("nine"), undefined],
    [Buffer.alloc(0), undefined],
    [zlib.gzipSync(zlib.gzipSync(image(0x644d5241))), undefined],
  ];
  for (const [n, [start, wanted]] of cases.entries()) assert.equal(architectureOf(start), wanted, `case ${n}`);
});

test("damaged headers are read or refused, never more", { skip: skipWithout(someKernel()) }, () => {
  const kernel = fs.readFileSync(someKernel()).subarray(0, 65536);
  assert.equal(architectureOf(kernel), "x86_64");
  let state = 7;
  const next = (below: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % below;
  for (let n = 0; n < 2000; n++) {
    const damaged = Buffer.from(kernel.subarray(0, n % 5 === 0 ? next(1500) : 2048));
    for (let k = 0; k < 4; k++) if (damaged.length > 0) damaged[next(damaged.length)] = next(256);
    architectureOf(damaged);
    readPe(damaged);
  }
});
