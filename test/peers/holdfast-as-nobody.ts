/** The program as a user runs it who may do nothing else. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { after } from "node:test";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";

const main = path.join(import.meta.dirname, "../../src/cli/main.ts");
const nobody = { uid: 65534, gid: 65534 };

/** Whether this is root, and somebody else could read the program where it is. */
function mayBeNobody(): boolean {
  return process.getuid?.() === 0 && spawnSync(process.execPath, ["--check", main], { ...nobody }).status === 0;
}

const user = mayBeNobody() ? nobody : undefined;

/** Where what is compiled is kept for the next run, which the user has to be allowed to write to. */
const compiled = temporaryFolder();
after(() => compiled[Symbol.asyncDispose]());
if (user !== undefined) fs.chownSync(compiled.path, user.uid, user.gid);

/** Runs the program, as a user who may do nothing where that is possible; gives its status and what it said. */
export function holdfast(...words: readonly string[]): { readonly status: number | null; readonly said: string } {
  const env = { ...process.env, NODE_COMPILE_CACHE: compiled.path };
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], { encoding: "utf8", env, ...user });
  return { status, said: stdout + stderr };
}

/** The same for what takes long, while others run. */
export async function holdfastMeanwhile(...words: readonly string[]): Promise<ReturnType<typeof holdfast>> {
  const child = spawn(process.execPath, [main, ...words], { stdio: ["ignore", "pipe", "pipe"], ...user });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  const [status] = (await once(child, "close")) as [number | null];
  return { status, said };
}

/** A folder that anyone may write to, with a tree that has a kernel. */
export function treeWithKernel(folder: TemporaryFolder, kernel: string): string {
  fs.chmodSync(folder.path, 0o777);
  const tree = folder.join("tree");
  fs.mkdirSync(path.join(tree, "boot"), { recursive: true });
  fs.copyFileSync(kernel, path.join(tree, kernel));
  fs.chmodSync(path.join(tree, kernel), 0o644);
  return tree;
}
