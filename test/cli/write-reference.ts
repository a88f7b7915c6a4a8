/** `node test/cli/write-reference.ts` writes docs/reference anew from the commands. */
import * as fs from "node:fs";
import * as path from "node:path";
import { commands } from "../../src/cli/commands.ts";
import { loadAll } from "../../src/cli/find-command.ts";
import { referencePages } from "../../src/cli/reference.ts";

const folder = path.join(import.meta.dirname, "../../docs/reference");
fs.rmSync(folder, { recursive: true, force: true });
fs.mkdirSync(folder, { recursive: true });
for (const { fileName, text } of referencePages(await loadAll(commands), commands.groups)) {
  fs.writeFileSync(path.join(folder, fileName), text);
}
