import { Failure } from "../base/index.ts";
import type { FileSystem } from "./file-system.ts";
import { resolvePath } from "./path.ts";

/** The text of a small file; undefined where there is none of that name, or it is no regular file, or longer than the limit. */
export async function readText(fileSystem: FileSystem, path: string, limitBytes: number): Promise<string | undefined> {
  try {
    const id = await resolvePath(fileSystem, path);
    const { kind, sizeBytes } = await fileSystem.stat(id);
    if (kind !== "file" || sizeBytes > limitBytes) return undefined;
    const whole = Buffer.alloc(sizeBytes);
    for await (const { at, bytes } of fileSystem.content(id)) whole.set(bytes, at);
    return whole.toString("utf8");
  } catch (error) {
    if (error instanceof Failure && error.code === "not-found") return undefined;
    throw error;
  }
}
