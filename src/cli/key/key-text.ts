import { formatSize, printableName } from "../../bytes/index.ts";
import { choiceCount, hasStarted, type KeyFile, type KeyReport } from "../../key/index.ts";
import type { Output } from "../output.ts";
import { layOutTable } from "../table.ts";
import { verifiedWord } from "./verified-text.ts";

/** What is on a key, for people. */
export function keyLines(
  { key, sizeBytes, isos, files, orphanedChanges, secureBootSigners }: KeyReport,
  { style }: Pick<Output, "style">,
): string[] {
  const head = `${key}: a key of ${formatSize(sizeBytes)}; isos is ${isos.kind}, ${formatSize(isos.freeBytes)} of it free`;
  const orphans = orphanedChanges.map(orphanText);
  if (files.length === 0) return [head, ...orphans];
  const columns = [
    { heading: "name", text: ({ name }: KeyFile) => printableName(name) },
    { heading: "size", align: "right", text: (file: KeyFile) => formatSize(file.sizeBytes) },
    { heading: "starts by", text: firmwareText },
    ...(secureBootSigners === undefined ? [] : [{ heading: "Secure Boot", text: secureBootText }]),
    { heading: "verified", text: ({ verified }: KeyFile) => verifiedWord(verified) },
    { heading: "title", text: titleText },
  ] as const;
  return [head, ...layOutTable(columns, files, { headingStyle: (text) => style("bold", text) }), ...orphans];
}

function orphanText({ name, sizeBytes }: KeyReport["orphanedChanges"][number]): string {
  return `${printableName(name)} (${formatSize(sizeBytes)}) keeps changes of an ISO that is not here`;
}

/** For people. */
export const firmwareNames = { bios: "BIOS", uefi: "UEFI", secure: "Secure Boot" } as const;

function firmwareText({ entries = [], tests = [] }: KeyFile): string {
  const firmwares = (["bios", "uefi"] as const).filter((firmware) => {
    return entries.some((entry) => entry.firmwares.includes(firmware));
  });
  return firmwares
    .map((firmware) => {
      const tried = tests.filter((one) => one.firmware === firmware);
      return tried.length === 0 ? firmwareNames[firmware] : `${firmwareNames[firmware]} (${testText(tried)})`;
    })
    .join(", ");
}

function testText(tried: NonNullable<KeyFile["tests"]>): string {
  const started = tried.filter(hasStarted).length;
  if (started === tried.length) return "seen";
  return started === 0 ? "failed" : `${started} of ${tried.length} seen`;
}

const verdictTexts = {
  starts: "signed",
  partly: "some entries",
  refused: "not signed",
  "needs-key": "key needed",
  unknown: "not known",
} as const;

function secureBootText({ secureBoot, tests = [] }: KeyFile): string {
  if (secureBoot === undefined) return "";
  const tried = tests.filter(({ firmware }) => firmware === "secure");
  return tried.length === 0 ? verdictTexts[secureBoot] : `${verdictTexts[secureBoot]} (${testText(tried)})`;
}

function titleText({ title, entries = [], isReplaced, changes }: KeyFile): string {
  if (title === undefined) return "(copied; looked into when it is chosen)";
  const kept = changes === undefined ? "" : `, keeps changes in ${formatSize(changes.sizeBytes)}`;
  const count = choiceCount(entries);
  const several = count > 1 ? `, ${count} entries` : "";
  return (
    printableName(title) +
    several +
    kept +
    (isReplaced === true ? " (another file is there now: remove and add it)" : "")
  );
}
