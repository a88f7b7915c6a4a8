import { restoreBackup, type RestoreRequest } from "../../backup/index.ts";
import { Failure } from "../../base/index.ts";
import { askFor, confirmOptions } from "../confirm-device.ts";
import { defineCommand, jsonOption, type CommandContext } from "../command.ts";
import { parseNewFile } from "../new-file.ts";
import { parsePlace } from "../place.ts";
import { printJson, printLines, printWarnings, showProgress } from "../print.ts";
import { planLines, restoredLines } from "./restore-text.ts";
import { storeAccess, storeOptions } from "./store-options.ts";

/** `holdfast backup restore` */
export const restore = defineCommand({
  words: ["backup", "restore"],
  summary: "restore a backup, or partitions of it, to a disk image or onto a disk",
  description: `Reads what Holdfast and Clonezilla save. TARGET is a new image file, which appears once all is in it and every checksum was right; or the device of a disk, which is shown and confirmed before it is written; or, with --partition, the device of a partition, or IMAGE:N. A disk's table and the beginning of a partition are written last, so that what was cut off does not look whole; run the same command again.

On a larger disk the partitions stay as they were, unless --fit says who gets the room. On a smaller one ext, FAT and exFAT are made smaller, where what is in them fits; --dry-run shows what comes of that.`,
  operands: {
    backup: { arity: "one", help: "the backup's folder" },
    target: { arity: "one", parse: parseNewFile, help: "the new image file, or a device, or IMAGE:N" },
  },
  options: {
    partition: {
      kind: "string",
      short: "p",
      value: "N",
      repeatable: true,
      help: "only this partition: 2, or as the backup calls it; several go to those of the same number in TARGET",
    },
    to: {
      kind: "number",
      minimum: 1,
      maximum: 8192,
      value: "N",
      help: "the partition of TARGET that it is restored into",
    },
    disk: { kind: "string", value: "NAME", help: "which disk, where the backup has several: sda" },
    size: { kind: "size", short: "s", value: "SIZE", help: "of the new file; else as large as what was saved" },
    fit: {
      kind: "choice",
      value: "HOW",
      choices: ["none", "last", "proportional"],
      help: "on a disk of another size: partitions as they were (none), the last one, or all in proportion",
    },
    "new-ids": {
      kind: "flag",
      help: "other ids for disk, partitions and file systems, with fstab and boot menus following: for a copy beside the original",
    },
    verify: { kind: "flag", help: "read back what was written, and compare" },
    ...confirmOptions,
    force: { kind: "flag", short: "f", help: "replace a file that is there, or what a partition of an image holds" },
    ...storeOptions,
    json: jsonOption,
  },
  examples: [
    { line: "holdfast backup restore backups/2026-11-30-1205-sda big", help: "the whole disk, as an image" },
    { line: "holdfast backup restore backups/2026-11-30-1205-sda root.img -p 2", help: "its second partition" },
    {
      line: "sudo holdfast backup restore backups/2026-11-30-1205-sda /dev/sdb --dry-run",
      help: "what would become of that disk",
    },
    {
      line: "sudo holdfast backup restore backups/2026-11-30-1205-sda /dev/sdb -p 2",
      help: "the second partition, where it was",
    },
  ],
  async run(context, args) {
    const place = parsePlace(args.target);
    const isInside = place.partition !== undefined && place.path === undefined;
    if (isInside && args.to !== undefined && args.to !== place.partition) {
      throw new Failure("usage", `cannot restore to partition ${args.to} of "${args.target}": that is another one`);
    }
    const to = isInside ? place.partition : args.to;
    const request: RestoreRequest = {
      backup: args.backup,
      target: isInside ? place.image : args.target,
      partition: args.partition,
      ...(to === undefined ? {} : { to }),
      ...(args.disk === undefined ? {} : { disk: args.disk }),
      ...(args.size === undefined ? {} : { sizeBytes: args.size }),
      ...(args.fit === undefined ? {} : { fit: args.fit }),
      ...(args.confirm === undefined ? {} : { confirm: args.confirm }),
      hasNewIds: args.newIds,
      isVerified: args.verify,
      isRehearsal: args.dryRun,
      force: args.force,
      nowMs: Date.now(),
      ...storeAccess(context, args),
    };
    await run(context, request, args);
  },
});

interface Shown {
  readonly json: boolean;
  readonly dryRun: boolean;
  readonly confirm: string | undefined;
}

async function run(context: CommandContext, request: RestoreRequest, args: Shown): Promise<void> {
  using progress = showProgress(context, args);
  const restored = await restoreBackup(request, {
    signal: context.signal,
    onProgress: progress.onProgress,
    async approve(plan) {
      progress.clear();
      if (!args.json) await printLines(context, planLines(plan));
      await context.stdout.flush();
      const { device } = plan;
      if (device === undefined) return undefined;
      const lost = device.isWhole ? `All that is on ${device.identity.path}` : "What these partitions hold";
      return await askFor(context, device.confirmation, { confirm: args.confirm, lost });
    },
  });
  progress.clear();
  if (args.dryRun && !args.json) await printLines(context, planLines(restored.plan));
  await printWarnings(context, restored.warnings);
  if (args.json) return await printJson(context, { ...restored, isRehearsal: args.dryRun });
  if (!args.dryRun) await printLines(context, restoredLines(restored, context));
}
