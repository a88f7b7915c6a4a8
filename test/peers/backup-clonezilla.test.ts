import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleDisk, save } from "../backup/sample-disk.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

// Clonezilla asks for root even to look.
const needs = { skip: process.getuid?.() === 0 ? skipWithout("ocs-chkimg", "partclone.chkimg") : "not root" };

test("Clonezilla finds all of a backup restorable", needs, async () => {
  await using folder = temporaryFolder();
  const disk = await sampleDisk(folder, "mbr");
  await save(disk, folder.join("home"), { name: "whole", volumeBytes: 2 ** 20 });
  const words = ["-or", folder.join("home"), "-nogui", "-b", "whole"];
  const said = runPeer("sh", ["-c", `ocs-chkimg "$@" 2>&1 </dev/null`, "ocs-chkimg", ...words]);
  for (const name of ["sda1", "sda2", "sda3", "sda6"]) assert.match(said, new RegExp(`restorable: ${name}\\b`), said);
  assert.match(said, /All the images of partition or LV devices in this image were checked and they are restorable/);
});
