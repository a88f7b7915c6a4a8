import * as os from "node:os";
import * as path from "node:path";

/** Where what can be fetched again is kept (XDG Base Directory Specification); undefined for a user with no home. */
export function cacheFolderIn(env: NodeJS.ProcessEnv): string | undefined {
  const named = env["XDG_CACHE_HOME"] ?? "";
  if (path.isAbsolute(named)) return path.join(named, "holdfast");
  const home = env["HOME"] ?? "";
  return path.isAbsolute(home) ? path.join(home, ".cache/holdfast") : undefined;
}

/** Where packages of distributions are kept; for a user with no home only until the machine is next started. */
export function archiveFolderIn(env: NodeJS.ProcessEnv): string {
  return path.join(cacheFolderIn(env) ?? path.join(os.tmpdir(), "holdfast-cache"), "archive");
}
