import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { createInterface } from "node:readline";
import { startDovecot, type Dovecot } from "../test/peers/dovecot.ts";
import { endServer, freePort, startServer } from "../test/peers/server.ts";
import { temporaryFolder, type TemporaryFolder } from "../test/temp.ts";
import { runPeer } from "../test/peers/peer.ts";
import { fillMaildir, mailboxMessages } from "./mail-inputs.ts";

export const user = "joe@example.org";
export const password = "secret";
const isRoot = process.getuid?.() === 0;
const holdfast = path.join(import.meta.dirname, "../holdfast");

/** Our server and Dovecot, with one authority, one user and the same 10,000 messages each. */
export interface MailServers extends AsyncDisposable {
  readonly ours: MailServer;
  readonly theirs: MailServer;
  /** All messages as they are on the wire. */
  readonly wireBytes: number;
  /** With ca.pem, client.pem and client.key. */
  readonly certificates: string;
}

export interface MailServer {
  readonly imapsPort: number;
  readonly pop3sPort: number;
  readonly lmtpSocket: string;
  readonly maildir: string;
  /** Its first process, in a group of its own. */
  pid(): number;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** The messages are made once, in the folder of the inputs. */
export async function startServers(inputs: string): Promise<MailServers> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder());
  fs.chmodSync(folder.path, 0o755);
  const mail = folder.join("mail");
  const secrets = { HOLDFAST_CA_PASSWORD: "of the bench" };
  const run = (...words: readonly string[]): string =>
    runPeer(holdfast, ["mail", ...words, "--folder", mail], { env: { ...process.env, ...secrets } });
  run("init", "example.org", "--host", "localhost", "--host", "127.0.0.1");
  // Not hashed, as Dovecot has it here: what is compared is the servers.
  const users = path.join(mail, "domains/example.org");
  fs.writeFileSync(path.join(users, "imap.passwd"), "joe:::::::\n");
  fs.writeFileSync(path.join(users, "imap.shadow"), `joe:{PLAIN}${password}\n`);
  run("cert", "issue", user, "--device", "bench", "--format", "pem", "--out", folder.join("issued"));
  const certificates = clientFiles(folder);
  const ours = await ourServer(folder, mail, stack);
  const theirs = await dovecot(mail, stack);
  const wireBytes = await fillBoth(inputs, [ours.maildir, theirs.maildir]);
  if (isRoot) runPeer("chown", ["-R", "nobody", folder.join("home")]);
  const moved = stack.move();
  return { ours, theirs, wireBytes, certificates, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

function clientFiles(folder: TemporaryFolder): string {
  const issued = folder.join("issued");
  const target = folder.join("client");
  fs.mkdirSync(target);
  for (const name of fs.readdirSync(issued)) {
    const to = name === "root.pem" ? "ca.pem" : name.endsWith(".key") ? "client.key" : "client.pem";
    fs.copyFileSync(path.join(issued, name), path.join(target, to));
  }
  return target;
}

async function ourServer(folder: TemporaryFolder, mail: string, stack: AsyncDisposableStack): Promise<MailServer> {
  const [imapsPort, pop3sPort] = [await freePort(), await freePort()];
  const lmtpSocket = folder.join("lmtp");
  const home = folder.join("home/joe");
  const settings = [
    'host_name = "127.0.0.1"',
    "[server]",
    'listen = ["127.0.0.1"]',
    `imaps_port = ${imapsPort}`,
    `pop3s_port = ${pop3sPort}`,
    `audit = "${folder.join("audit")}"`,
    ...(isRoot ? ['account = "nobody"'] : []),
    "[mailboxes]",
    `home = "${folder.join("home")}/%n"`,
    "[limits]",
    "connections_per_address = 1000",
    "connections_per_certificate = 1000",
    "handshakes_per_address = 100000",
    "[receiving]",
    `lmtp = "${lmtpSocket}"`,
    "",
  ];
  fs.writeFileSync(path.join(mail, "mail.toml"), settings.join("\n"));
  let child: ChildProcess | undefined;
  const server = {
    imapsPort,
    pop3sPort,
    lmtpSocket,
    maildir: path.join(home, "Maildir"),
    pid: () => child?.pid ?? 0,
    async stop() {
      await endServer(child);
      child = undefined;
    },
    async start() {
      child = await startServer(holdfast, ["mail", "serve", "--folder", mail], /^pop3s /);
    },
  };
  stack.defer(() => server.stop());
  await server.start();
  return server;
}

async function dovecot(mail: string, stack: AsyncDisposableStack): Promise<MailServer> {
  const server: Dovecot = await startDovecot({
    protocols: ["imap", "pop3", "lmtp"],
    users: { joe: password },
    tls: {
      certificate: path.join(mail, "pki/server.pem"),
      key: path.join(mail, "pki/server.pem"),
      ca: path.join(mail, "pki/bundle.pem"),
      hasCrl: true,
    },
  });
  stack.use(server);
  return {
    imapsPort: server.imapsPort,
    pop3sPort: server.pop3sPort,
    lmtpSocket: server.lmtpSocket,
    maildir: path.join(server.home("joe"), "Maildir"),
    pid: () => Number(fs.readFileSync(path.join(server.folder.path, "run/master.pid"), "utf8")),
    stop: () => server.stop(),
    start: () => server.start(),
  };
}

async function fillBoth(inputs: string, maildirs: readonly string[]): Promise<number> {
  const source = path.join(inputs, "maildir");
  if (!fs.existsSync(source)) {
    fs.rmSync(`${source}.part`, { recursive: true, force: true });
    fillMaildir(`${source}.part`);
    fs.renameSync(`${source}.part`, source);
  }
  for (const maildir of maildirs) {
    fs.mkdirSync(path.dirname(maildir), { recursive: true });
    runPeer("cp", ["-a", source, maildir]);
    for (const name of ["cur", "new", "tmp"]) fs.mkdirSync(path.join(maildir, ".Appended", name), { recursive: true });
  }
  const names = fs.readdirSync(path.join(source, "cur"));
  if (names.length !== mailboxMessages) throw new Error(`"${source}" has ${names.length} messages`);
  return names.reduce((sum, name) => sum + Number(/,W=(\d+)/.exec(name)?.[1]), 0);
}

/** What the index of either server would have; gone, it is made anew. */
export function forgetIndex(maildir: string): void {
  for (const name of fs.readdirSync(maildir)) {
    if (/^(dovecot\.index|holdfast-index)/.test(name)) fs.rmSync(path.join(maildir, name), { recursive: true });
  }
}

/** The memory of a process and all it has started, what is shared counted once (PSS), in MiB. */
export function memoryOf(pid: number): number {
  const parents = new Map<number, number>();
  for (const name of fs.readdirSync("/proc")) {
    const status = /^\d+$/.test(name) ? readIfThere(`/proc/${name}/status`) : undefined;
    const parent = /^PPid:\s+(\d+)/m.exec(status ?? "")?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const isBelow = (one: number | undefined): boolean => one !== undefined && (one === pid || isBelow(parents.get(one)));
  let kilobytes = 0;
  for (const one of parents.keys()) {
    if (isBelow(one))
      kilobytes += Number(/^Pss:\s+(\d+)/m.exec(readIfThere(`/proc/${one}/smaps_rollup`) ?? "")?.[1] ?? 0);
  }
  return kilobytes / 1024;
}

function readIfThere(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined; // it has just ended
  }
}

/** A client with so many connections that wait; ended by its input's end. */
export async function idleClient(words: readonly string[]): Promise<{ readonly end: () => Promise<void> }> {
  const [program = "", ...args] = words;
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "close");
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  if (line !== "idle") throw new Error(`the client said "${line}"`);
  return {
    async end() {
      child.stdin.end();
      await ended;
    },
  };
}
