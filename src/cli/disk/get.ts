import { Failure } from "../../base/index.ts";
import { formatSize } from "../../bytes/index.ts";
import { getFiles, type GetTarget } from "../../disk/index.ts";
import { defineCommand, jsonOption, type CommandContext } from "../command.ts";
import { printJson, printWarnings, showProgress } from "../print.ts";
import { parsePlace } from "../place.ts";

/** `holdfast disk get` */
export const get = defineCommand({
  words: ["disk", "get"],
  summary: "take files out of an image, into a folder or as a tar",
  description:
    "A folder is taken with all below it. Times, modes, links, holes and extended attributes are kept, owners and devices too where this is run by root. A tar keeps everything whoever runs it.",
  operands: {
    place: { arity: "one", parse: parsePlace, help: "IMAGE, IMAGE:/path, or IMAGE:2/path for partition 2" },
    to: {
      arity: "optional",
      help: "the folder to put it in, made if need be; - is a tar on standard output; else here",
    },
  },
  options: {
    force: { kind: "flag", short: "f", help: "replace files that are there already" },
    json: jsonOption,
  },
  examples: [
    { line: "holdfast disk get big:/etc backup-of-etc", help: "a folder with what is in /etc" },
    { line: "holdfast disk get big:2/ - | zstd > home.tar.zst", help: "all of partition 2 as a tar" },
  ],
  async run(context, args) {
    const isTar = args.to === "-";
    const target = isTar ? tarTarget(context, args.json) : folderTarget(args.to ?? ".", args.force);
    using progress = showProgress(context, args);
    const got = await getFiles(args.place, target, { signal: context.signal, onProgress: progress.onProgress });
    progress.clear();
    await printWarnings(context, got.warnings);
    if (args.json) return printJson(context, got);
    const files = got.fileCount === 1 ? "1 file" : `${got.fileCount} files`;
    if (!isTar) await context.stdout.write(`${files}, ${formatSize(got.totalBytes)}\n`);
  },
});

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
