import { writeKey } from "../../key/index.ts";
import { confirmOptions } from "../confirm-device.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson, printLines, printWarnings, showProgress } from "../print.ts";
import { approver, showPlan } from "./confirm-device.ts";
import { writtenLine } from "./write-text.ts";

/** `holdfast key write` */
export const write = defineCommand({
  words: ["key", "write"],
  summary: "write a key onto a stick, once that is confirmed to be the right one",
  description: `Shows what the device is and what is on it, and asks for its serial number. The disk that the system runs from is refused, and so is what is mounted or in use. What is equal already is not written, nor is what no file system uses; all the rest is read back. isos grows to fill the device.

Interrupted, the device is no key; run the same command again, and it goes on where it stopped. Root is needed, since real devices are written.`,
  operands: {
    image: { arity: "one", help: "the key, as key create made it" },
    device: { arity: "one", help: "the device of the whole stick, such as /dev/sdb" },
  },
  options: {
    ...confirmOptions,
    json: jsonOption,
  },
  examples: [
    { line: "sudo holdfast key write key.img /dev/sdb --dry-run", help: "is that the right one?" },
    { line: "sudo holdfast key write key.img /dev/sdb", help: "asks for its serial number, and writes" },
  ],
  async run(context, args) {
    using progress = showProgress(context, args);
    const written = await writeKey(
      {
        image: args.image,
        device: args.device,
        isRehearsal: args.dryRun,
        ...(args.confirm === undefined ? {} : { confirm: args.confirm }),
      },
      {
        signal: context.signal,
        onProgress: progress.onProgress,
        approve: approver(context, args),
      },
    );
    progress.clear();
    if (args.dryRun) await showPlan(context, written.plan, args);
    await printWarnings(context, written.warnings);
    if (args.json) return await printJson(context, { ...written, isRehearsal: args.dryRun });
    if (!args.dryRun) await printLines(context, [writtenLine(written)]);
  },
});
