import * as fs from "node:fs";
import * as path from "node:path";

/** Where an unprivileged user's PATH does not look, and system programs are. */
const systemFolders = process.platform === "win32" ? [] : ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** The path of an installed program, or undefined. `env` is the environment whose PATH is searched. */
export function findProgram(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const folders = [...(env["PATH"] ?? "").split(path.delimiter).filter((folder) => folder !== ""), ...systemFolders];
  const endings = process.platform === "win32" ? [".exe", ""] : [""];
  return folders.flatMap((folder) => endings.map((ending) => path.join(folder, name + ending))).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}
