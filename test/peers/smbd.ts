/** Samba's server on a port of its own, as an ordinary process, with one share and one user. */
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer } from "./peer.ts";
import { endServer, freePort, startServer } from "./server.ts";

export interface SmbServer extends AsyncDisposable {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** What the share is. */
  readonly data: string;
  readonly folder: TemporaryFolder;
  kill(): Promise<void>;
  start(): Promise<void>;
}

export async function startSmbd(): Promise<SmbServer> {
  const folder = temporaryFolder();
  const [port, user, password] = [await freePort(), os.userInfo().username, "open & sesame%/"];
  const data = folder.join("data");
  for (const name of ["data", "lock", "private"]) fs.mkdirSync(folder.join(name), { mode: 0o700 });
  const config = folder.join("smb.conf");
  const own = ["lock", "state", "cache", "pid", "ncalrpc"].map((what) => {
    return `${what} ${what === "ncalrpc" ? "dir" : "directory"} = ${folder.join("lock")}`;
  });
  const settings = [
    "[global]",
    ...own,
    `private dir = ${folder.join("private")}`,
    `passdb backend = tdbsam:${folder.join("private", "users")}`,
    `smb ports = ${port}`,
    "interfaces = 127.0.0.1",
    "bind interfaces only = yes",
    "disable netbios = yes",
    "load printers = no",
    "printcap name = /dev/null",
    "server role = standalone server",
    `log file = ${folder.join("log")}`,
    "[share]",
    `path = ${data}`,
    "read only = no",
    `valid users = ${user}`,
    "",
  ];
  fs.writeFileSync(config, settings.join("\n"));
  runPeer("smbpasswd", ["-c", config, "-s", "-a", user], { input: `${password}\n${password}\n` });
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = await startServer("smbd", ["--foreground", "--no-process-group", `--configfile=${config}`], port);
  };
  const kill = (): Promise<void> => endServer(child);
  await start();
  return {
    port,
    user,
    password,
    data,
    folder,
    kill,
    start,
    async [Symbol.asyncDispose]() {
      await kill();
      await folder[Symbol.asyncDispose]();
    },
  };
}
