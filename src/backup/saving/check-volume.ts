import { Failure, stopIfAborted, type JobOptions } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import type { Unreadable } from "../../device/index.ts";
import type { Volume } from "./request.ts";

/** Looks through a file system. Throws for damage; gives what leaves the data whole. */
export async function checkVolume(volume: Volume, unreadable: Unreadable, job: JobOptions): Promise<string[]> {
  const { name, content } = volume;
  if (content?.saved !== "image") return [];
  const warnings: string[] = [];
  for await (const { severity, message, hint } of content.fileSystem.check()) {
    stopIfAborted(job.signal);
    if (severity === "warning") {
      warnings.push(`${name}: ${message}`);
      continue;
    }
    throw new Failure("damaged", `cannot save ${name}: ${printableName(message)}`, {
      hint: hasUnreadable(volume, unreadable)
        ? "sectors of it cannot be read; --unchecked saves what can"
        : `${hint ?? "repair it first (e2fsck, fsck.fat)"}, or add --unchecked to save it as it is`,
    });
  }
  return warnings;
}

/** Whether sectors are known of a partition that cannot be read. */
export function hasUnreadable({ partition, sizeBytes }: Volume, unreadable: Unreadable): boolean {
  return unreadable.within(partition?.startBytes ?? 0, sizeBytes).length > 0;
}

export function isDamage(error: unknown): boolean {
  return error instanceof Failure && error.code === "damaged";
}

/** Says which partition is meant where a failure does not. */
export function aboutVolume(error: unknown, volume: string): unknown {
  if (!(error instanceof Failure) || error.code === "interrupted" || error.message.includes(volume)) return error;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new Failure(error.code, `cannot save ${volume}: ${error.message}`, { ...hint, cause: error });
}
