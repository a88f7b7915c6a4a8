import { writeKey, type KeyWritePlan } from "../../key/index.ts";
import { ask } from "../ask.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { printJson, printLines, printWarnings, showProgress } from "../print.ts";
import { planLines, writtenLine } from "./write-text.ts";

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
    confirm: {
      kind: "string",
      value: "SERIAL",
      help: "the device's serial number, instead of being asked; what is not removable is written only with it",
    },
    "dry-run": { kind: "flag", short: "n", help: "show the device and what would be done, and write nothing" },
    json: jsonOption,
  },
  examples: [
    { line: "sudo holdfast key write key.img /dev/sdb --dry-run", help: "is that the right one?" },
    { line: "sudo holdfast key write key.img /dev/sdb", help: "asks for its serial number, and writes" },
  ],
  async run(context, args) {
    using progress = showProgress(context, args);
    const show = async (plan: KeyWritePlan): Promise<void> => {
      if (!args.json) await printLines(context, planLines(plan));
      await context.stdout.flush();
      await printWarnings(context, plan.notes);
    };
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
        async approve(plan) {
          await show(plan);
          if (args.confirm !== undefined) return undefined;
          const { what } = plan.confirmation;
          return ask(context, `All that is on ${plan.device.path} is lost. To go on, type its ${what}: `);
        },
      },
    );
    progress.clear();
    if (args.dryRun) await show(written.plan);
    await printWarnings(context, written.warnings);
    if (args.json) return printJson(context, { ...written, isRehearsal: args.dryRun });
    if (!args.dryRun) await printLines(context, [writtenLine(written)]);
  },
});
