import { Failure, type JobOptions } from "../base/index.ts";
import type { DiskReport } from "./report.ts";

/** Looks at a disk without changing it. A damaged file system is told of in the report, not thrown. */
export async function showDisk(path: string, _options: JobOptions): Promise<DiskReport> {
  throw new Failure("unsupported", `cannot show "${path}": this is not written yet`);
}
