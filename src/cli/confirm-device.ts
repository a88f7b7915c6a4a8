import { formatSize, printableName } from "../bytes/index.ts";
import type { BlockIdentity, Confirmation } from "../device/index.ts";
import type { DiskReport } from "../disk/index.ts";
import { ask } from "./ask.ts";
import type { CommandContext } from "./command.ts";

/** How it is confirmed that a device is the right one, for every command that writes over what is on it. */
export const confirmOptions = {
  confirm: {
    kind: "string",
    value: "SERIAL",
    help: "the device's serial number, instead of being asked; what is not removable is written only with it",
  },
  "dry-run": { kind: "flag", short: "n", help: "show the device and what would be done, and write nothing" },
} as const;

/** Asks for what names the device, where that was not given. `lost` says what will not be there any more. */
export async function askFor(
  context: CommandContext,
  { what }: Confirmation,
  { confirm, lost }: { readonly confirm: string | undefined; readonly lost: string },
): Promise<string | undefined> {
  if (confirm !== undefined) return undefined;
  return ask(context, `${lost} is lost. To go on, type its ${what}: `);
}

/** What a device is, and what is on it, for whoever decides. */
export function deviceLines(device: BlockIdentity, contents: DiskReport | undefined): string[] {
  const { path, vendor, model, serial, transport, isRemovable, sizeBytes } = device;
  const name = [vendor, model].filter((part) => part !== "").join(" ");
  return [
    `device   ${path}${name === "" ? "" : `: ${printableName(name)}`}`,
    `serial   ${serial === undefined ? "(none)" : printableName(serial)}`,
    `size     ${formatSize(sizeBytes)} (${sizeBytes} bytes), ${transport}, ${isRemovable ? "removable" : "not removable"}`,
    ...contentsLines(contents).map((line, n) => `${n === 0 ? "holds    " : "         "}${line}`),
  ];
}

function contentsLines(contents: DiskReport | undefined): string[] {
  if (contents === undefined) return ["something that this program cannot read"];
  const { table, partitions, fileSystem } = contents;
  if (fileSystem !== undefined) return [fileSystemText(fileSystem)];
  if (table === undefined) return ["nothing that this program knows"];
  if (partitions.length === 0) return [`an empty ${table.kind.toUpperCase()}`];
  return partitions.map(({ number, sizeBytes, typeName, fileSystem: found }) => {
    return `partition ${number}, ${formatSize(sizeBytes)}: ${found === undefined ? typeName : fileSystemText(found)}`;
  });
}

function fileSystemText({ kind, label, usedBytes }: NonNullable<DiskReport["fileSystem"]>): string {
  const used = usedBytes === undefined ? "" : `, ${formatSize(usedBytes)} used`;
  return `${kind}${label === "" ? "" : ` "${printableName(label)}"`}${used}`;
}
