import type { Problem } from "../file-system.ts";
import { pendingLog } from "./open.ts";
import type { XfsSource } from "./xfs-source.ts";

/** What is wrong with an XFS. */
export async function* checkXfs(source: XfsSource, problems: readonly string[]): AsyncGenerator<Problem> {
  for (const message of problems) yield { severity: "error", message };
  if (source.isLogPending) yield { severity: "warning", message: pendingLog };
}
