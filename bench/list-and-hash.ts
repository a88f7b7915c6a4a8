import { createHash } from "node:crypto";
import { FileReader } from "../src/device/index.ts";
import { openFileSystem, treeOf } from "../src/filesystem/index.ts";
import type { DataPiece } from "../src/tree/index.ts";

/** What the benches time: every file of the image named on the command line, listed and hashed. */
const [image = ""] = process.argv.slice(2);
await using reader = await FileReader.open(image);
await using fileSystem = await openFileSystem(reader);
for await (const batch of treeOf(fileSystem, "/").entries()) {
  let lines = "";
  for (const entry of batch) {
    if (entry.kind !== "file") continue;
    const hash = createHash("sha256");
    if (Array.isArray(entry.content)) for (const { bytes } of entry.content as readonly DataPiece[]) hash.update(bytes);
    else for await (const { bytes } of entry.content ?? []) hash.update(bytes);
    lines += `${hash.digest("hex")}  ${entry.path}\n`;
  }
  process.stdout.write(lines);
}
