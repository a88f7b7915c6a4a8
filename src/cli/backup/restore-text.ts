import type { RestoredBackup, RestorePlan } from "../../backup/index.ts";
import { formatSize, printableName } from "../../bytes/index.ts";
import type { CommandContext } from "../command.ts";
import { deviceLines } from "../confirm-device.ts";
import { layOutTable } from "../table.ts";

/** What would be lost, and what is written where, for whoever decides. */
export function planLines({ backup, target, sizeBytes, places, device }: RestorePlan): string[] {
  const rows = layOutTable(
    [
      { text: ({ name }) => `  ${name}` },
      { text: ({ kind }) => kindText(kind) },
      { align: "right", text: ({ after }) => formatSize(after.sizeBytes) },
      { text: ({ number, before, after }) => changeText(number, before, after) },
    ],
    places,
  );
  return [
    ...(device === undefined ? [] : deviceLines(device.identity, device.contents)),
    `writes   ${printableName(backup)}${device === undefined ? ` to ${printableName(target)}: ${formatSize(sizeBytes)}` : ""}`,
    ...rows.map((row) => row.trimEnd()),
  ];
}

type Place = RestorePlan["places"][number]["before"];

function changeText(number: number, before: Place, after: Place): string {
  const words = [
    ...(after.sizeBytes === before.sizeBytes ? [] : [`was ${formatSize(before.sizeBytes)}`]),
    ...(number === 0 ? [] : [`partition ${number} at ${formatSize(after.startBytes)}`]),
    ...(after.startBytes === before.startBytes ? [] : [`was at ${formatSize(before.startBytes)}`]),
  ];
  return words.join(", ");
}

function kindText(kind: string): string {
  if (kind === "") return "-";
  return kind === "dd" ? "plain bytes" : kind;
}

export function restoredLines({ path, sizeBytes, parts }: RestoredBackup, { stdout }: CommandContext): string[] {
  const rows = layOutTable(
    [
      { text: ({ name }) => `  ${name}` },
      { text: ({ kind }) => kindText(kind) },
      { align: "right", text: ({ restoredBytes }) => formatSize(restoredBytes) },
      { text: ({ sizeBytes: of }) => `of ${formatSize(of)}` },
    ],
    parts,
  );
  return [`${stdout.style("bold", path)}: ${formatSize(sizeBytes)}`, ...rows];
}
