import assert from "node:assert/strict";
import * as fs from "node:fs";
import { FileReader } from "../../../src/device/index.ts";
import { probe, recognise, type Recognised } from "../../../src/filesystem/index.ts";
import { runPeer } from "../../peers/peer.ts";
import { noise } from "../ext/sample-folder.ts";

/** Makes a sparse file of so many MiB. */
export function makeBlank(file: string, sizeMiB: number): void {
  fs.rmSync(file, { force: true });
  fs.writeFileSync(file, "");
  fs.truncateSync(file, sizeMiB * 2 ** 20);
}

/** What is recognised in a file, of which nothing else may claim that it can be read. */
export async function recogniseFile(file: string): Promise<Recognised> {
  await using reader = await FileReader.open(file);
  const found = await recognise(reader);
  assert.ok(found !== undefined, "something is recognised");
  assert.ok([undefined, found.kind].includes(await probe(reader)), "it is read as what it is, if at all");
  return found;
}

/** Compares label, UUID and type with what blkid says. */
export function assertAsBlkid(found: Recognised, file: string, type: string = found.kind): void {
  const said = new Map(
    runPeer("blkid", ["-p", "-o", "udev", file])
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const),
  );
  const label = said.get("ID_FS_LABEL_ENC") ?? "";
  assert.deepEqual(
    { type, label: found.kind === "lvm2" ? "" : found.label, uuid: found.uuid },
    {
      type: said.get("ID_FS_TYPE"),
      label: label.replace(/\\x([0-9a-f]{2})/g, (_, digits: string) =>
        String.fromCharCode(Number.parseInt(digits, 16)),
      ),
      uuid: said.get("ID_FS_UUID"),
    },
  );
}

/** The number after a name in what a program printed. */
export function numberAfter(said: string, name: string): number {
  const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const found = new RegExp(String.raw`${escaped}[\s:=]*(\d+)`).exec(said)?.[1];
  assert.ok(found !== undefined, `"${name}" in ${said}`);
  return Number(found);
}

/** Some MiB in files of all sizes, many of them deleted again. */
export function fillWithFiles(root: string): void {
  fs.mkdirSync(`${root}/some/depth`, { recursive: true });
  fs.writeFileSync(`${root}/large`, noise(1, 3_000_000));
  for (let n = 0; n < 150; n++) fs.writeFileSync(`${root}/some/${n}`, noise(n, n * 211));
  for (let n = 0; n < 150; n += 3) fs.rmSync(`${root}/some/${n}`);
  fs.writeFileSync(`${root}/some/depth/file`, noise(7, 100_000));
}
