import { formatSize, printableName } from "../../bytes/index.ts";
import { choiceCount, type KeyFile, type KeyReport } from "../../key/index.ts";
import type { Output } from "../output.ts";
import { layOutTable } from "../table.ts";
import { verifiedWord } from "./verified-text.ts";

/** What is on a key, for people. */
export function keyLines(
  { key, sizeBytes, isos, files, secureBootSigners }: KeyReport,
  { style }: Pick<Output, "style">,
): string[] {
  const head = `${key}: a key of ${formatSize(sizeBytes)}; isos is ${isos.kind}, ${formatSize(isos.freeBytes)} of it free`;
  if (files.length === 0) return [head];
  const columns = [
    { heading: "name", text: ({ name }: KeyFile) => printableName(name) },
    { heading: "size", align: "right", text: (file: KeyFile) => formatSize(file.sizeBytes) },
    { heading: "starts by", text: firmwareText },
    ...(secureBootSigners === undefined ? [] : [{ heading: "Secure Boot", text: secureBootText }]),
    { heading: "verified", text: ({ verified }: KeyFile) => verifiedWord(verified) },
    { heading: "title", text: titleText },
  ] as const;
  return [head, ...layOutTable(columns, files, { headingStyle: (text) => style("bold", text) })];
}

function firmwareText({ entries }: KeyFile): string {
  if (entries === undefined) return "";
  const firmwares = new Set(entries.flatMap((entry) => entry.firmwares));
  return [...(firmwares.has("bios") ? ["BIOS"] : []), ...(firmwares.has("uefi") ? ["UEFI"] : [])].join(", ");
}

const verdictTexts = {
  starts: "signed",
  partly: "some entries",
  refused: "not signed",
  "needs-key": "key needed",
  unknown: "not known",
} as const;

function secureBootText({ secureBoot }: KeyFile): string {
  return secureBoot === undefined ? "" : verdictTexts[secureBoot];
}

function titleText({ title, entries = [], isReplaced }: KeyFile): string {
  if (title === undefined) return "(copied; looked into when it is chosen)";
  const count = choiceCount(entries);
  const several = count > 1 ? `, ${count} entries` : "";
  return (
    printableName(title) + several + (isReplaced === true ? " (another file is there now: remove and add it)" : "")
  );
}
