import { listKey } from "../../key/index.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson, printLines, printWarnings } from "../print.ts";
import { keyLines } from "./key-text.ts";

/** `holdfast key list` */
export const list = defineCommand({
  words: ["key", "list"],
  summary: "show which ISO files, and what else, are on a key, and how they start",
  operands: { key: { arity: "one", help: "the key: an image, or the device of a stick" } },
  options: { json: jsonOption },
  examples: [{ line: "holdfast key list key.img", help: "sizes, titles, what firmware starts them" }],
  async run(context, args) {
    const report = await listKey(args.key);
    await printWarnings(context, report.notes);
    if (args.json) return printJson(context, report);
    await printLines(context, keyLines(report, context.stdout));
  },
});
