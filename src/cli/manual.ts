import * as fs from "node:fs/promises";
import * as path from "node:path";
import { defineCommand } from "./command.ts";
import { loadAll } from "./find-command.ts";
import { manualPage } from "./manual-page.ts";

/** `holdfast manual` */
export const manual = defineCommand({
  words: ["manual"],
  summary: "write a manual page for each command, as man reads them",
  operands: { folder: { arity: "one", help: "where to put them, such as ~/.local/share/man/man1; made if need be" } },
  options: {},
  examples: [{ line: "holdfast manual ~/.local/share/man/man1", help: 'then "man holdfast-disk-create" works' }],
  async run(context, args) {
    await fs.mkdir(args.folder, { recursive: true });
    for (const command of await loadAll(context.commands)) {
      const { fileName, text } = manualPage(command);
      await fs.writeFile(path.join(args.folder, fileName), text);
      await context.stdout.write(`${path.join(args.folder, fileName)}\n`);
    }
  },
});
