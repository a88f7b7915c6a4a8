import { spawnSync } from "node:child_process";

/** What `e2fsck` says of an image, and its status: 0 where it is in order, 1 where it has been mended. */
export function e2fsck(
  image: string,
  ...options: readonly string[]
): { readonly status: number; readonly said: string } {
  const { status, stdout, stderr } = spawnSync("e2fsck", [...options, image], {
    encoding: "utf8",
    env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
  });
  return { status: status ?? -1, said: stdout + stderr };
}
