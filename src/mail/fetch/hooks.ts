import { spawn } from "node:child_process";
import { once } from "node:events";
import { Failure, systemReason } from "../../base/index.ts";

/** Runs a command of the user's before or after a connection; what it prints goes to standard error. */
export async function runHook(
  hook: { readonly name: "preconnect" | "postconnect"; readonly command: string },
  options: { readonly env: NodeJS.ProcessEnv; readonly signal?: AbortSignal },
): Promise<void> {
  const { signal, env } = options;
  const cannot = `cannot run ${hook.name} "${hook.command}"`;
  const child = spawn("/bin/sh", ["-c", hook.command], {
    stdio: ["ignore", 2, 2],
    env,
    ...(signal === undefined ? {} : { signal }),
  });
  let status: number | null;
  try {
    [status] = (await once(child, "close")) as [number | null];
  } catch (error) {
    throw new Failure("failed", `${cannot}: ${systemReason(error)}`, { cause: error });
  }
  if (status !== 0) throw new Failure("failed", `${cannot}: it ended with ${status ?? "a signal"}`);
}
