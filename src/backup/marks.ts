/** A file of this name in a backup's folder says that the backup did not pass its check, and why. */
export const failedCheckFile = "failed-check.txt";
/** And one of this name, that it is being deleted. */
export const deletionFile = "being-deleted.txt";

const meanings: Readonly<Record<string, string>> = {
  [failedCheckFile]: "it did not pass its check",
  [deletionFile]: "it was being deleted",
};

/** Why a backup counts for nothing although its folder looks whole; undefined where nothing says so. */
export function markIn(files: ReadonlyMap<string, number>): string | undefined {
  const mark = Object.keys(meanings).find((file) => files.has(file));
  return mark === undefined ? undefined : meanings[mark];
}
