import { formatSize, printableName } from "../../bytes/index.ts";
import type { DiskReport } from "../../disk/index.ts";
import type { KeyWritePlan, WrittenKey } from "../../key/index.ts";

/** What would be lost, and what is written, for whoever decides. */
export function planLines({ image, imageBytes, device, contents, isos, requiredBytes }: KeyWritePlan): string[] {
  const { path, vendor, model, serial, transport, isRemovable, sizeBytes } = device;
  const name = [vendor, model].filter((part) => part !== "").join(" ");
  const growth =
    isos.afterBytes === isos.beforeBytes
      ? `isos keeps its ${formatSize(isos.beforeBytes)}`
      : `isos grows from ${formatSize(isos.beforeBytes)} to ${formatSize(isos.afterBytes)}`;
  return [
    `device   ${path}${name === "" ? "" : `: ${printableName(name)}`}`,
    `serial   ${serial === undefined ? "(none)" : printableName(serial)}`,
    `size     ${formatSize(sizeBytes)} (${sizeBytes} bytes), ${transport}, ${isRemovable ? "removable" : "not removable"}`,
    ...contentsLines(contents).map((line, n) => `${n === 0 ? "holds    " : "         "}${line}`),
    `writes   ${image === undefined ? "a new key" : printableName(image)} (${formatSize(imageBytes)}): ${formatSize(requiredBytes)} where they differ; ${growth}`,
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

export function writtenLine({ plan, comparedBytes, writtenBytes }: WrittenKey): string {
  const of = `${formatSize(comparedBytes)} that matter`;
  if (writtenBytes === 0) return `${plan.device.path} holds this key already: all ${of} are equal`;
  return `wrote ${formatSize(writtenBytes)} of ${of} onto ${plan.device.path}, and read them back`;
}
