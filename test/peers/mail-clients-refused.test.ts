/**
 * Whoever comes to `mail serve` without a good certificate of that very user gets no mail, whatever program it is, and
 * the audit says why; with the right one the same program, set up in the same way, reads the message.
 */
import assert from "node:assert/strict";
import { spawn, type ChildProcessByStdio } from "node:child_process";
import * as fs from "node:fs";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { ImapFlow } from "imapflow";
import { encodePem } from "../../src/mail/pki/index.ts";
import { MailMachine, type ClientFiles } from "../mail/guard/mail-machine.ts";
import { madeAuthority, madeCertificate } from "../mail/pki/sample-authority.ts";
import { Passage } from "./passage.ts";
import { peerPath, skipWithout } from "./peer.ts";

const secretText = "For nobody but joe.";

/** What is shown at the door, and what the audit says of it. Each comes with joe's name and joe's password. */
const refusals = {
  none: "no certificate",
  "self-made": "self-signed",
  "self-made in our authority's name": "self-signed",
  "of another authority": "unknown authority",
  "of another authority in the name of ours": "unknown authority",
  expired: "expired",
  revoked: "revoked",
  "of another user": "another's certificate",
} as const;
type Bad = keyof typeof refusals;

let machine: MailMachine;
let right: ClientFiles;
let wrong: Readonly<Record<Bad, ClientFiles | undefined>>;

before(async () => {
  machine = await MailMachine.make();
  right = await machine.client("joe@example.org");
  const past = { days: 1, now: new Date(Date.now() - 3 * 86_400_000) };
  const other = madeAuthority("other");
  const { subject, subjectName } = machine.authority.current.certificate;
  wrong = {
    none: undefined,
    "self-made": write("self-made", madeCertificate({})),
    "self-made in our authority's name": write("false-self", madeCertificate({ subject: subjectName })),
    "of another authority": write("other", madeCertificate({}, other)),
    "of another authority in the name of ours": write("false-other", madeCertificate({}, { ...other, name: subject })),
    expired: await machine.client("joe@example.org", "old", past),
    revoked: await machine.client("joe@example.org", "lost"),
    "of another user": await machine.client("anna@example.org"),
  };
  await machine.revoke(wrong.revoked as ClientFiles);
  machine.deliver("joe", `From: anna@example.org\r\nSubject: one\r\n\r\n${secretText}\r\n`);
  machine.settings("[limits]\nrefusals_per_address = 1000\nrefusals_per_certificate = 1000\n", "processes = 1\n");
  await machine.start();
});
after(async () => {
  python?.end();
  await machine?.[Symbol.asyncDispose]();
});

function write(name: string, { der, privateKey }: ReturnType<typeof madeCertificate>): ClientFiles {
  const file = machine.folder.join(name);
  fs.writeFileSync(`${file}.pem`, encodePem("CERTIFICATE", der));
  fs.writeFileSync(`${file}.key`, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  return { cert: `${file}.pem`, key: `${file}.key`, serial: "" };
}

/** One run of one program. */
interface Visit {
  readonly port: number;
  readonly shown: ClientFiles | undefined;
  /** For what the program needs, with an empty `got` in it for what it makes. */
  readonly folder: string;
}

interface Outcome {
  readonly isSuccess: boolean;
  /** All that the program said or put anywhere. */
  readonly got: string;
}

interface Client {
  readonly peers: readonly string[];
  readonly protocol: "imaps" | "pop3s";
  readonly visit: (visit: Visit) => Promise<Outcome>;
  /** What the audit says instead, where the program cannot be brought to show that certificate. */
  readonly instead?: Partial<Record<Bad, string>>;
}

/** The server is in this process: a program that is waited for must not hold it up. */
async function run(program: string, words: readonly string[], more: { env?: NodeJS.ProcessEnv; input?: string } = {}) {
  const env = { ...process.env, LC_ALL: "C.UTF-8", ...more.env };
  const child = spawn(peerPath(program) ?? program, words, { stdio: "pipe", env, timeout: 60_000 });
  const parts: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => parts.push(bytes));
  child.stdin.on("error", () => undefined);
  child.stdin.end(more.input);
  const status = await new Promise<number | null>((resolve) => void child.once("close", resolve));
  return { isSuccess: status === 0, got: Buffer.concat(parts).toString("latin1") };
}

/** What is in all files below a folder. */
function textBelow(folder: string): string {
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map(({ parentPath, name }) => fs.readFileSync(`${parentPath}/${name}`, "latin1")).join("\n");
}

const fetchmail = (protocol: "imap" | "pop3") => async (visit: Visit) => {
  const { port, shown, folder } = visit;
  const certificate = shown === undefined ? "" : `sslcert "${shown.cert}" sslkey "${shown.key}"`;
  const lines = [
    `poll localhost protocol ${protocol} port ${port}`,
    `user "joe" password "secret" ssl ${certificate} sslcertck sslcertfile "${machine.ca}" fetchall keep`,
    `mda "cat >> ${folder}/got/box"`,
  ];
  fs.writeFileSync(`${folder}/rc`, `${lines.join("\n  ")}\n`, { mode: 0o600 });
  const files = ["--pidfile", `${folder}/pid`, "--idfile", `${folder}/ids`];
  const { isSuccess, got } = await run("fetchmail", ["-f", `${folder}/rc`, "--nodetach", ...files]);
  return { isSuccess, got: got + textBelow(`${folder}/got`) };
};

const curl = (protocol: "imaps" | "pop3s") => (visit: Visit) => {
  const { port, shown } = visit;
  const certificate = shown === undefined ? [] : ["--cert", shown.cert, "--key", shown.key];
  const url = `${protocol}://localhost:${port}/${protocol === "imaps" ? "INBOX;MAILINDEX=1" : "1"}`;
  return run("curl", ["-sS", "--cacert", machine.ca, ...certificate, "--user", "joe:secret", url]);
};

const dialogues = {
  imaps: "a LOGIN joe secret\r\nb SELECT INBOX\r\nc FETCH 1 BODY.PEEK[]\r\nd LOGOUT\r\n",
  pop3s: "USER joe\r\nPASS secret\r\nRETR 1\r\nQUIT\r\n",
} as const;

/** It only carries bytes: whether somebody was let in the answers tell. */
const openssl = (protocol: "imaps" | "pop3s", version: "-tls1_2" | "-tls1_3") => async (visit: Visit) => {
  const { port, shown } = visit;
  const certificate = shown === undefined ? [] : ["-cert", shown.cert, "-key", shown.key];
  const server = ["-connect", `localhost:${port}`, "-CAfile", machine.ca, "-verify_return_error", version];
  const words = ["s_client", ...server, "-quiet", "-ign_eof", ...certificate];
  const { isSuccess, got } = await run("openssl", words, { input: dialogues[protocol] });
  return { isSuccess: isSuccess && !/^(a NO|-ERR) /m.test(got), got };
};

async function mbsync({ port, shown, folder }: Visit): Promise<Outcome> {
  const certificate = shown === undefined ? "" : `ClientCertificate ${shown.cert}\nClientKey ${shown.key}\n`;
  fs.writeFileSync(
    `${folder}/rc`,
    `FSync no
IMAPStore server
Host localhost
Port ${port}
User joe
Pass secret
SSLType IMAPS
CertificateFile ${machine.ca}
${certificate}
MaildirStore here
Path ${folder}/got/
Inbox ${folder}/got/INBOX

Channel all
Far :server:
Near :here:
Create Near
Sync Pull
SyncState ${folder}/state-
`,
  );
  const { isSuccess, got } = await run("mbsync", ["-c", `${folder}/rc`, "all"]);
  return { isSuccess, got: got + textBelow(`${folder}/got`) };
}

async function offlineimap({ port, shown, folder }: Visit): Promise<Outcome> {
  const certificate = shown === undefined ? "" : `sslclientcert = ${shown.cert}\nsslclientkey = ${shown.key}\n`;
  fs.writeFileSync(
    `${folder}/rc`,
    `[general]
accounts = joe
metadata = ${folder}/state
ui = basic
fsync = False
[Account joe]
localrepository = here
remoterepository = there
[Repository here]
type = Maildir
localfolders = ${folder}/got
[Repository there]
type = IMAP
remotehost = localhost
remoteport = ${port}
remoteuser = joe
remotepass = secret
ssl = yes
sslcacertfile = ${machine.ca}
${certificate}readonly = True
`,
  );
  const { isSuccess, got } = await run("offlineimap", ["-1", "-o", "-c", `${folder}/rc`]);
  return { isSuccess, got: got + textBelow(`${folder}/got`) };
}

async function neomutt({ port, shown, folder }: Visit): Promise<Outcome> {
  const pair = `${folder}/client.pem`;
  if (shown !== undefined)
    fs.writeFileSync(pair, fs.readFileSync(shown.cert, "utf8") + fs.readFileSync(shown.key, "utf8"));
  fs.writeFileSync(
    `${folder}/rc`,
    `set folder = "imaps://joe@localhost:${port}/" spoolfile = "+INBOX" imap_pass = secret
set certificate_file = ${machine.ca} ${shown === undefined ? "" : `ssl_client_cert = ${pair}`}
set sleep_time = 0 confirmappend = no confirmcreate = no move = no wait_key = no mail_check = 0
push "<copy-message>${folder}/got/copy<enter><exit>"
`,
  );
  const env = { TERM: "xterm", HOME: folder };
  const { isSuccess, got } = await run("script", ["-qec", `neomutt -n -R -z -F ${folder}/rc`, "/dev/null"], { env });
  return { isSuccess, got: got + textBelow(`${folder}/got`) };
}

async function imapFlow({ port, shown }: Visit): Promise<Outcome> {
  const pair = shown === undefined ? {} : { cert: fs.readFileSync(shown.cert), key: fs.readFileSync(shown.key) };
  const client = new ImapFlow({
    host: "localhost",
    port,
    secure: true,
    tls: { ca: fs.readFileSync(machine.ca), ...pair },
    auth: { user: "joe", pass: "secret" },
    logger: false,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.mailboxOpen("INBOX", { readOnly: true });
    const message = await client.fetchOne("1", { source: true });
    await client.logout();
    return { isSuccess: true, got: (message && message.source?.toString("latin1")) || "" };
  } catch (error) {
    return { isSuccess: false, got: String(error) };
  }
}

/** One process for all: it takes a visit a line, and answers in a line. */
const pythonProgram = `
import imaplib, json, poplib, ssl, sys
def imaps(port, context):
    imap = imaplib.IMAP4_SSL("localhost", port, ssl_context=context)
    imap.login("joe", "secret")
    imap.select("INBOX", readonly=True)
    got = imap.fetch("1", "(BODY.PEEK[])")[1][0][1]
    imap.logout()
    return got
def pop3s(port, context):
    pop = poplib.POP3_SSL("localhost", port, context=context)
    pop.user("joe")
    pop.pass_("secret")
    got = b"\\n".join(pop.retr(1)[1])
    pop.quit()
    return got
for line in sys.stdin:
    ca, protocol, port, pair = json.loads(line)
    context = ssl.create_default_context(cafile=ca)
    if pair: context.load_cert_chain(*pair)
    try:
        answer = [True, globals()[protocol](port, context).decode("latin1")]
    except (imaplib.IMAP4.error, poplib.error_proto, OSError) as error:
        answer = [False, repr(error)]
    print(json.dumps(answer), flush=True)
`;

class Python {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: ((line: string) => void)[] = [];

  constructor() {
    this.#child = spawn(peerPath("python3") ?? "python3", ["-c", pythonProgram], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#waiting.shift()?.(line));
    this.#child.once("close", () => this.#waiting.splice(0).forEach((answer) => answer('[false, "Python ended"]')));
  }

  async visit(protocol: "imaps" | "pop3s", { port, shown }: Visit): Promise<Outcome> {
    const pair = shown === undefined ? undefined : [shown.cert, shown.key];
    this.#child.stdin.write(`${JSON.stringify([machine.ca, protocol, port, pair])}\n`);
    const line = await new Promise<string>((resolve) => this.#waiting.push(resolve));
    const [isSuccess, got] = JSON.parse(line) as [boolean, string];
    return { isSuccess, got };
  }

  end(): void {
    this.#child.stdin.end();
  }
}

let python: Python | undefined;
const inPython = (protocol: "imaps" | "pop3s") => (visit: Visit) => (python ??= new Python()).visit(protocol, visit);

const clients: Readonly<Record<string, Client>> = {
  "fetchmail by IMAP": { peers: ["fetchmail"], protocol: "imaps", visit: fetchmail("imap") },
  "fetchmail by POP3": { peers: ["fetchmail"], protocol: "pop3s", visit: fetchmail("pop3") },
  mbsync: { peers: ["mbsync"], protocol: "imaps", visit: mbsync },
  "curl by IMAP": { peers: ["curl"], protocol: "imaps", visit: curl("imaps") },
  "curl by POP3": { peers: ["curl"], protocol: "pop3s", visit: curl("pop3s") },
  "openssl s_client by IMAP, TLS 1.2": { peers: ["openssl"], protocol: "imaps", visit: openssl("imaps", "-tls1_2") },
  "openssl s_client by POP3, TLS 1.3": { peers: ["openssl"], protocol: "pop3s", visit: openssl("pop3s", "-tls1_3") },
  "Python's imaplib": { peers: ["python3"], protocol: "imaps", visit: inPython("imaps") },
  "Python's poplib": { peers: ["python3"], protocol: "pop3s", visit: inPython("pop3s") },
  neomutt: {
    peers: ["neomutt", "script"],
    protocol: "imaps",
    visit: neomutt,
    // GnuTLS shows no certificate but one in the name of an authority that the server tells it.
    instead: { "self-made": "no certificate", "of another authority": "no certificate" },
  },
  offlineimap: { peers: ["offlineimap"], protocol: "imaps", visit: offlineimap },
  ImapFlow: { peers: [], protocol: "imaps", visit: imapFlow },
};

/** Runs a program once; gives what came of it and what the audit says of its connections. */
async function visit(name: string, client: Client, shown: ClientFiles | undefined) {
  await using passage = await Passage.open(machine.port(client.protocol));
  const folder = machine.folder.join(`${name} ${passage.address}`.replace(/[^\w.]/g, "-"));
  fs.mkdirSync(`${folder}/got`, { recursive: true });
  const outcome = await client.visit({ port: passage.port, shown, folder });
  await machine.audited(new RegExp(` address=${passage.address} `));
  const lines = machine.auditLines().filter((line) => line.includes(` address=${passage.address} `));
  return { ...outcome, lines };
}

const whyOf = (line: string): string | undefined => / why=(?:"([^"]*)"|(\S+))$/.exec(line)?.slice(1).find(Boolean);

describe("refused, and let in with the right certificate", { concurrency: 3, timeout: 120_000 }, () => {
  for (const [name, client] of Object.entries(clients)) {
    test(name, { skip: skipWithout(...client.peers) }, async () => {
      const good = await visit(name, client, right);
      assert.ok(good.isSuccess && good.got.includes(secretText), good.got);
      assert.match(good.lines.join("\n"), / event=login .*certificate=joe@example\.org /);
      for (const [what, usual] of Object.entries(refusals) as [Bad, string][]) {
        const { isSuccess, got, lines } = await visit(name, client, wrong[what]);
        const told = `with a certificate ${what}: ${got}`;
        assert.equal(isSuccess, false, told);
        assert.ok(!got.includes(secretText), told);
        assert.deepEqual(
          [...new Set(lines.map(whyOf))],
          [client.instead?.[what] ?? usual],
          `${told}\n${lines.join("\n")}`,
        );
      }
    });
  }
});
