import type { JobOptions } from "../../base/index.ts";
import type { GrowDiskRequest, ResizedDisk, ShrinkDiskRequest } from "../../disk/index.ts";
import { jsonOption, type CommandContext } from "../command.ts";
import { printJson, printLines, showProgress } from "../print.ts";
import { resizedLines } from "./resized-text.ts";

/** What growing and shrinking take, with what they mean there. */
export const resizeOptions = (help: { readonly size: string; readonly partition: string }) => {
  return {
    size: { kind: "size", short: "s", value: "SIZE", help: help.size },
    partition: { kind: "number", short: "p", value: "N", minimum: 1, maximum: 8192, help: help.partition },
    "dry-run": { kind: "flag", help: "say what would become of each part, and change nothing" },
    json: jsonOption,
  } as const;
};

interface ResizeArguments {
  readonly file: string;
  readonly size?: number | undefined;
  readonly partition?: number | undefined;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Carries it out, and tells of it. */
export async function resize(
  context: CommandContext,
  args: ResizeArguments,
  resizeDisk: (request: GrowDiskRequest & ShrinkDiskRequest, job: JobOptions) => Promise<ResizedDisk>,
): Promise<void> {
  using progress = showProgress(context, args);
  const resized = await resizeDisk(
    {
      path: args.file,
      ...(args.size === undefined ? {} : { sizeBytes: args.size }),
      ...(args.partition === undefined ? {} : { partition: args.partition }),
      isRehearsal: args.dryRun,
      nowMs: Date.now(),
    },
    { signal: context.signal, onProgress: progress.onProgress },
  );
  progress.clear();
  if (args.json) return await printJson(context, { isDryRun: args.dryRun, ...resized });
  await printLines(context, resizedLines(resized));
}
