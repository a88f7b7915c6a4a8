import { availableParallelism } from "node:os";
import { Failure, type JobOptions } from "../../base/index.ts";
import { bootBackup } from "../boot/index.ts";
import { openBackup } from "../open-backup.ts";
import { checkBackup, type BackupProblem } from "../check-backup.ts";
import type { StoreAccess } from "../store/index.ts";
import type { PlanCheck } from "./plan.ts";

const memoryBytes = 2 ** 30;
/** Enough for most; more would only slow emulation down. */
const cpuLimit = 2;

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
  if (check.kind !== "boot") return done;
  return [...done, await checkStart(backup, check, options)];
}

/** Throws `mismatch` where it would not come up. */
async function checkStart(
  backup: string,
  { until, timeLimitMs, isEmulated }: Extract<PlanCheck, { readonly kind: "boot" }>,
  options: JobOptions & StoreAccess,
): Promise<string> {
  await using reader = await openBackup(backup, options);
  const request = { backup, reader, timeLimitMs, memoryBytes, cpus: Math.min(cpuLimit, availableParallelism()) };
  const { isUp, seen, firmware } = await bootBackup(
    { ...request, accelerate: !isEmulated, env: options.env, ...(until === undefined ? {} : { until }) },
    options,
  );
  if (isUp) return `starts by ${firmware === "uefi" ? "UEFI" : "BIOS"}: ${seen}`;
  throw new Failure("mismatch", `cannot start "${backup}": ${seen}`, {
    hint: `"holdfast backup check ${backup} --boot --screenshot FILE" shows more; nothing older was deleted`,
  });
}
