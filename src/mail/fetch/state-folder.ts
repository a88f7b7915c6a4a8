import * as os from "node:os";
import * as path from "node:path";

/** Where it is kept in mind what was fetched: the system's place for root, the user's own for others. */
export function stateFolderIn(env: NodeJS.ProcessEnv): string {
  const named = env["XDG_STATE_HOME"] ?? "";
  const home = env["HOME"] ?? os.homedir();
  const own = process.getuid?.() === 0 ? "/var/lib/holdfast" : path.join(home, ".local/state/holdfast");
  return path.join(path.isAbsolute(named) ? path.join(named, "holdfast") : own, "mail-fetch");
}
