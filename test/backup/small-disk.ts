import * as fs from "node:fs";
import { createDisk } from "../../src/disk/index.ts";
import type { TemporaryFolder } from "../temp.ts";

/** A disk of a few MiB with one ext2 in which there is one file. */
export async function smallDisk(folder: TemporaryFolder, name: string, text = "hello\n"): Promise<string> {
  const tree = folder.join(`${name}.tree`);
  fs.mkdirSync(tree);
  fs.writeFileSync(`${tree}/note`, text);
  const path = folder.join(name);
  await createDisk({
    path,
    sizeBytes: 8 * 2 ** 20,
    table: "mbr",
    layout: "aligned",
    partitions: [{ active: false, sizeBytes: 6 * 2 ** 20, fileSystem: { kind: "ext2", label: "small" }, from: [tree] }],
    from: [],
    force: false,
    preallocate: false,
    nowMs: 1_700_000_000_000,
  });
  return path;
}
