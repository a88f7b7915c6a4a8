import { Failure } from "../../base/index.ts";
import { listFiles, type ImageOpener, type ListedFolder, type Place } from "../../disk/index.ts";
import type { CommandContext } from "../command.ts";
import { JsonListDocument } from "../json-document.ts";
import { printWarnings } from "../print.ts";
import { listingText } from "./listing-text.ts";

interface ListingOptions {
  readonly isLong: boolean;
  readonly isRecursive: boolean;
  readonly json: boolean;
  readonly openImage?: ImageOpener;
}

/** Lists a place as text or as JSON. Throws `damaged` at the end where not all could be listed. */
export async function printListing(context: CommandContext, place: Place, options: ListingOptions): Promise<void> {
  const { isLong, isRecursive, json, openImage } = options;
  const opener = openImage === undefined ? {} : { openImage };
  const folders = listFiles(place, { isRecursive, signal: context.signal, ...opener });
  const problemCount = json
    ? await printDocument(context, place, folders)
    : await printText(context, folders, { isLong, isRecursive });
  if (problemCount === 0) return;
  throw new Failure("damaged", `cannot list all of "${place.image}": ${metText(problemCount)}`, {
    hint: `"holdfast disk check" says more`,
  });
}

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
