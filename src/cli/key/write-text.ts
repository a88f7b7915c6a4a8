import { formatSize, printableName } from "../../bytes/index.ts";
import type { KeyWritePlan, WrittenKey } from "../../key/index.ts";
import { deviceLines } from "../confirm-device.ts";

/** What would be lost, and what is written, for whoever decides. */
export function planLines({ image, imageBytes, device, contents, isos, requiredBytes }: KeyWritePlan): string[] {
  const growth =
    isos.afterBytes === isos.beforeBytes
      ? `isos keeps its ${formatSize(isos.beforeBytes)}`
      : `isos grows from ${formatSize(isos.beforeBytes)} to ${formatSize(isos.afterBytes)}`;
  return [
    ...deviceLines(device, contents),
    `writes   ${image === undefined ? "a new key" : printableName(image)} (${formatSize(imageBytes)}): ${formatSize(requiredBytes)} where they differ; ${growth}`,
  ];
}

export function writtenLine({ plan, comparedBytes, writtenBytes }: WrittenKey): string {
  const of = `${formatSize(comparedBytes)} that matter`;
  if (writtenBytes === 0) return `${plan.device.path} holds this key already: all ${of} are equal`;
  return `wrote ${formatSize(writtenBytes)} of ${of} onto ${plan.device.path}, and read them back`;
}
