import { Failure, type JobOptions } from "../../base/index.ts";
import { checkBackup, type BackupProblem } from "../check-backup.ts";
import type { StoreAccess } from "../store/index.ts";
import type { PlanCheck } from "./plan.ts";

/** Looks at a new backup as its plan wants it. Gives what was looked at; throws `damaged` with the first thing that is wrong. */
export async function checkSaved(
  backup: string,
  check: PlanCheck,
  options: JobOptions & StoreAccess,
): Promise<string[]> {
  if (check.kind === "none") return [];
  const errors: BackupProblem[] = [];
  const checked = await checkBackup(backup, {
    ...options,
    onProblem: async (problem) => {
      if (problem.severity === "error") errors.push(problem);
    },
  });
  const [first] = errors;
  if (first !== undefined) {
    throw new Failure("damaged", `cannot vouch for "${backup}": ${first.where}: ${first.message}`, {
      hint: `"holdfast backup check ${backup}" tells all; nothing older was deleted`,
    });
  }
  const done = ["checksums", ...(checked.hasStructure ? ["file systems"] : [])];
  return done;
}
