/** Disks of plans are found wherever they are at the moment. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { findSource } from "../../src/backup/plan/find-source.ts";
import { Failure } from "../../src/base/index.ts";
import { fakeSystem } from "../device/fake-system.ts";
import { temporaryFolder } from "../temp.ts";

function system(root: string, serials: Readonly<Record<string, string>>): void {
  const devices = Object.entries(serials).map(([name, serial], n) => {
    const at = `pci0/ata${n}/host${n}/target${n}:0:0/${n}:0:0:0/block/${name}`;
    return { at, number: `8:${n * 16}`, files: { serial } };
  });
  fakeSystem(root, devices);
  fs.mkdirSync(`${root}/sys/block`, { recursive: true });
  for (const name of Object.keys(serials)) fs.symlinkSync(`../class/block/${name}`, `${root}/sys/block/${name}`);
}

test("by its serial number, whatever it is called", async () => {
  await using folder = temporaryFolder();
  system(folder.path, { sda: "AAA", sdb: "BBB 1" });
  assert.equal(findSource({ kind: "serial", serial: "BBB 1" }, folder.path), "/dev/sdb");
});

test("one that is not there, and one that there are two of, are refused", async () => {
  await using folder = temporaryFolder();
  system(folder.path, { sda: "AAA", sdb: "AAA" });
  const failing = (serial: string) => () => findSource({ kind: "serial", serial }, folder.path);
  assert.throws(failing("CCC"), (error) => error instanceof Failure && error.code === "not-found");
  assert.throws(failing("AAA"), /cannot choose a disk: \/dev\/sda and \/dev\/sdb have the same serial number/);
  const missing = () => findSource({ kind: "path", path: folder.join("disk") });
  assert.throws(missing, (error) => error instanceof Failure && error.code === "not-found");
});
