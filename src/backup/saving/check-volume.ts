import { Failure, stopIfAborted, type JobOptions } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import type { Volume } from "./request.ts";

/** Looks through a file system. Throws for damage; gives what leaves the data whole. */
export async function checkVolume({ name, content }: Volume, job: JobOptions): Promise<string[]> {
  if (content?.saved !== "image") return [];
  const warnings: string[] = [];
  for await (const { severity, message } of content.fileSystem.check()) {
    stopIfAborted(job.signal);
    if (severity === "warning") {
      warnings.push(`${name}: ${message}`);
      continue;
    }
    throw new Failure("damaged", `cannot save ${name}: ${printableName(message)}`, {
      hint: "repair it first (e2fsck, fsck.fat), or add --unchecked to save it as it is",
    });
  }
  return warnings;
}

/** Says which partition is meant where a failure does not. */
export function aboutVolume(error: unknown, volume: string): unknown {
  if (!(error instanceof Failure) || error.message.includes(volume)) return error;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new Failure(error.code, `cannot save ${volume}: ${error.message}`, { ...hint, cause: error });
}
