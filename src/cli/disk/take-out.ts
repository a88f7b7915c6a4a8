import { Failure } from "../../base/index.ts";
import { formatSize } from "../../bytes/index.ts";
import { getFiles, type GetTarget, type ImageOpener, type Place } from "../../disk/index.ts";
import type { CommandContext } from "../command.ts";
import { printJson, printWarnings, showProgress } from "../print.ts";

interface TakeOutOptions {
  /** A folder, or `-` for a tar on standard output; else here. */
  readonly to: string | undefined;
  readonly force: boolean;
  readonly json: boolean;
  readonly openImage?: ImageOpener;
}

/** Takes files out of an image and says how many. */
export async function takeOut(context: CommandContext, place: Place, options: TakeOutOptions): Promise<void> {
  const { to, json, openImage } = options;
  const isTar = to === "-";
  const target = isTar ? tarTarget(context, json) : folderTarget(to ?? ".", options.force);
  using progress = showProgress(context, options);
  const opener = openImage === undefined ? {} : { openImage };
  const got = await getFiles(place, target, { signal: context.signal, onProgress: progress.onProgress, ...opener });
  progress.clear();
  await printWarnings(context, got.warnings);
  if (json) return await printJson(context, got);
  const files = got.fileCount === 1 ? "1 file" : `${got.fileCount} files`;
  if (!isTar) await context.stdout.write(`${files}, ${formatSize(got.totalBytes)}\n`);
}

function folderTarget(path: string, force: boolean): GetTarget {
  return { kind: "folder", path, force };
}

function tarTarget(context: CommandContext, json: boolean): GetTarget {
  if (json) throw new Failure("usage", `cannot use "--json" with "-": both want standard output`);
  if (context.stdout.isTerminal) {
    throw new Failure("refused", `cannot write a tar to a terminal`, { hint: "send it to a file or a pipe" });
  }
  return { kind: "tar", write: (bytes) => context.stdout.write(bytes) };
}
