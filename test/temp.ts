import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  /** The path of a name inside the folder. */
  join(...names: readonly string[]): string;
}

/** A new empty folder that is gone, with all in it, at the end of the scope: `await using folder = temporaryFolder()`. */
export function temporaryFolder(): TemporaryFolder {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "holdfast-test-"));
  return {
    path: folder,
    join: (...names) => path.join(folder, ...names),
    async [Symbol.asyncDispose]() {
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
