import { Failure } from "../../base/index.ts";
import { listFiles, type ListedFolder, type Place } from "../../disk/index.ts";
import { defineCommand, jsonOption, type CommandContext } from "../command.ts";
import { printWarnings } from "../print.ts";
import { JsonListDocument } from "../json-document.ts";
import { parsePlace } from "../place.ts";
import { listingText } from "./listing-text.ts";

/** `holdfast disk ls` */
export const ls = defineCommand({
  words: ["disk", "ls"],
  summary: "list the files in an image",
  operands: {
    place: { arity: "one", parse: parsePlace, help: "IMAGE, IMAGE:/path, or IMAGE:2/path for partition 2" },
  },
  options: {
    long: { kind: "flag", short: "l", help: "with mode, links, owner, group, size, time in UTC" },
    recursive: { kind: "flag", short: "R", help: "with everything below" },
    json: jsonOption,
  },
  examples: [
    { line: "holdfast disk ls big", help: "the root of its only or root file system" },
    { line: "holdfast disk ls -lR big:2/etc", help: "all below /etc in partition 2" },
  ],
  async run(context, args) {
    const folders = listFiles(args.place, { isRecursive: args.recursive, signal: context.signal });
    const problemCount = args.json
      ? await printDocument(context, args.place, folders)
      : await printText(context, folders, { isLong: args.long, isRecursive: args.recursive });
    if (problemCount === 0) return;
    throw new Failure("damaged", `cannot list all of "${args.place.image}": ${metText(problemCount)}`, {
      hint: `"holdfast disk check" says more`,
    });
  },
});

function metText(problemCount: number): string {
  return problemCount === 1 ? "a problem was met" : `${problemCount} problems were met`;
}

async function printDocument(context: CommandContext, place: Place, folders: AsyncIterable<ListedFolder>) {
  let problemCount = 0;
  const document = await JsonListDocument.open(context.stdout, { ...place }, "folders");
  for await (const folder of folders) {
    problemCount += folder.problems.length;
    await document.add(folder);
  }
  await document.close();
  return problemCount;
}

async function printText(
  context: CommandContext,
  folders: AsyncIterable<ListedFolder>,
  options: { readonly isLong: boolean; readonly isRecursive: boolean },
): Promise<number> {
  let problemCount = 0;
  let isFirst = true;
  for await (const folder of folders) {
    problemCount += folder.problems.length;
    await printWarnings(context, folder.problems);
    const text = listingText(folder, { ...options, output: context.stdout });
    await context.stdout.write(isFirst ? text : joined("\n", text));
    isFirst = false;
  }
  return problemCount;
}

function joined(before: string, text: string | Uint8Array): string | Uint8Array {
  return typeof text === "string" ? before + text : Buffer.concat([Buffer.from(before), text]);
}
