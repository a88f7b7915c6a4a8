import * as path from "node:path";
import type { BackupPlan } from "../plan/index.ts";

/** What the units and entries of a plan are called, by its file: cron.d takes letters, digits and dashes only. */
export function unitName({ path: file }: Pick<BackupPlan, "path">): string {
  const name = path
    .basename(file)
    .replace(/\.toml$/, "")
    .replaceAll(/[^A-Za-z0-9-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return `holdfast-backup-${name === "" ? "plan" : name}`;
}
