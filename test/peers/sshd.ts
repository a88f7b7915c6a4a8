/** OpenSSH's server on a port of its own, as an ordinary process, for those who may log in here. */
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer } from "./peer.ts";
import { endServer, freePort, startServer } from "./server.ts";

export interface SshServer extends AsyncDisposable {
  readonly port: number;
  readonly user: string;
  /** A home in which `.ssh` has a key that is let in, and the host's key is known. */
  readonly home: string;
  readonly folder: TemporaryFolder;
  /** As `ssh-keygen -l` prints that of the host. */
  readonly fingerprint: string;
  /** The server and all its connections. */
  kill(): Promise<void>;
  /** Those who are connected, and nobody who comes. */
  dropConnections(): void;
  /** On the same port again. */
  start(): Promise<void>;
}

export async function startSshd(): Promise<SshServer> {
  const folder = temporaryFolder();
  const port = await freePort();
  const home = folder.join("home");
  const ssh = `${home}/.ssh`;
  fs.mkdirSync(ssh, { recursive: true, mode: 0o700 });
  fs.mkdirSync(folder.join("data"));
  runPeer("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", folder.join("host")]);
  runPeer("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${ssh}/id_ed25519`]);
  const hostKey = fs.readFileSync(folder.join("host.pub"), "utf8").split(" ").slice(0, 2).join(" ");
  fs.writeFileSync(`${ssh}/known_hosts`, `[127.0.0.1]:${port} ${hostKey}\n`);
  if (process.getuid?.() === 0) fs.mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  fs.writeFileSync(
    folder.join("config"),
    [
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${folder.join("host")}`,
      `AuthorizedKeysFile ${ssh}/id_ed25519.pub`,
      "StrictModes no",
      "UsePAM no",
      "PasswordAuthentication no",
      "PidFile none",
      "Subsystem sftp internal-sftp",
      "",
    ].join("\n"),
  );
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = await startServer("sshd", ["-D", "-e", "-f", folder.join("config")], /Server listening/);
  };
  const kill = async (): Promise<void> => {
    const connections = childrenOf(child?.pid);
    await endServer(child);
    for (const pid of connections) endProcess(pid);
  };
  await start();
  return {
    port,
    user: os.userInfo().username,
    home,
    folder,
    fingerprint: runPeer("ssh-keygen", ["-l", "-f", folder.join("host.pub")]).split(" ")[1] ?? "",
    kill,
    dropConnections: () => childrenOf(child?.pid).forEach(endProcess),
    start,
    async [Symbol.asyncDispose]() {
      await kill();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Each connection of sshd is a process in a session of its own. */
function childrenOf(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  const file = `/proc/${pid}/task/${pid}/children`;
  const own = fs.existsSync(file) ? fs.readFileSync(file, "utf8").split(" ").filter(Boolean).map(Number) : [];
  return own.flatMap((child) => [child, ...childrenOf(child)]);
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it has ended with its parent
  }
}
