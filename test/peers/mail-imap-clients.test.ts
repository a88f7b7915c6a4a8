/** Programs that people read their mail with, against a Maildir of 10,000 messages that `mail serve` serves. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import * as tls from "node:tls";
import { ImapFlow } from "imapflow";
import { type ClientFiles, MailMachine } from "../mail/guard/mail-machine.ts";
import { ImapTalk } from "./imap-talk.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { endServer, freePort, startServer } from "./server.ts";

const messages = 10_000;

let machine: MailMachine;
let joe: ClientFiles;
let port: number;
let server: ChildProcess;

before(async () => {
  machine = await MailMachine.make();
  joe = await machine.client("joe@example.org");
  machine.deliver("joe", ...Array.from({ length: messages }, (_, index) => messageText(index + 1)));
  port = await freePort();
  const words = ["src/cli/main.ts", "mail", "serve", "--folder", machine.folder.path, "--imaps-port", `${port}`];
  server = await startServer(process.execPath, words, /^imaps /);
});
after(async () => {
  await endServer(server);
  await machine[Symbol.asyncDispose]();
});

/** Every tenth has an attachment. */
function messageText(number: number): string {
  const date = new Date(1_700_000_000_000 + number * 60_000).toUTCString().replace("GMT", "+0000");
  const head = `From: Anna <anna@example.org>\nTo: joe@example.org\nSubject: message ${number}\nDate: ${date}\nMessage-ID: <${number}@example.org>\n`;
  const text = `This is message ${number}.\n${"It has some lines of text.\n".repeat(number % 20)}`;
  if (number % 10 !== 0) return `${head}\n${text}`;
  const attachment = Buffer.from(`data ${number}`).toString("base64");
  return `${head}MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n${text}\n--b\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n${attachment}\n--b--\n`;
}

const imaplib = `
import imaplib, ssl, sys
port, ca, cert, key = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.load_cert_chain(cert, key)
imap = imaplib.IMAP4_SSL("localhost", int(port), ssl_context=context)
imap.login("joe", "secret")
status, [count] = imap.select("INBOX")
status, data = imap.fetch("1:*", "(UID RFC822.SIZE BODY.PEEK[])")
bodies = [item for item in data if isinstance(item, tuple)]
sizes = [int(head.split(b"RFC822.SIZE ")[1].split()[0]) for head, body in bodies]
assert sizes == [len(body) for head, body in bodies]
print(int(count), len(bodies), sum(b"This is message" in body for head, body in bodies))
print(imap.search(None, "SUBJECT", '"message 777"')[1][0].decode())
print(imap.create("from-python")[0], imap.append("from-python", "\\\\Seen", None, b"Subject: hello\\r\\n\\r\\nworld\\r\\n")[0])
print(imap.select("from-python")[1][0].decode(), imap.store("1", "+FLAGS", "\\\\Deleted")[1][0].decode())
print(imap.expunge()[1], imap.uid("SEARCH", "ALL")[1])
imap.close()
print(imap.delete("from-python")[0], imap.logout()[0])
`;

test("Python's imaplib reads all, adds, marks and removes", { skip: skipWithout("python3") }, () => {
  const said = runPeer("python3", ["-c", imaplib, `${port}`, machine.ca, joe.cert, joe.key]);
  assert.deepEqual(said.trimEnd().split("\n"), [
    `${messages} ${messages} ${messages}`,
    "777 7770 7771 7772 7773 7774 7775 7776 7777 7778 7779",
    "OK OK",
    "1 1 (FLAGS (\\Deleted \\Seen))",
    "[b'1'] [b'']",
    "OK BYE",
  ]);
});

test("curl lists, searches, reads and adds", { skip: skipWithout("curl") }, () => {
  const certificates = ["--cacert", machine.ca, "--cert", joe.cert, "--key", joe.key, "--user", "joe:secret"];
  const curl = (path: string, ...words: readonly string[]): string => {
    return runPeer("curl", ["-sS", ...certificates, ...words, `imaps://localhost:${port}/${path}`]);
  };
  assert.match(curl(""), /^\* LIST \(\\HasNoChildren\) "\/" "INBOX"\r\n/);
  assert.equal(curl("INBOX?ALL").trimEnd().split(" ").length - 2, messages);
  const some = curl(`INBOX;MAILINDEX=[1-${messages}:50];SECTION=TEXT`);
  assert.equal(some.match(/^This is message [0-9]+\.\r$/gm)?.length, messages / 50);
  assert.equal(curl("INBOX?SUBJECT%20%22message%201234%22"), "* SEARCH 1234\r\n");
  assert.equal(curl("INBOX;MAILINDEX=4321;SECTION=TEXT").slice(0, 21), "This is message 4321.");
  const file = machine.folder.join("upload");
  fs.writeFileSync(file, "Subject: uploaded\r\n\r\ntext\r\n");
  curl("", "-X", "CREATE uploads");
  curl("uploads", "-T", file);
  assert.equal(curl("uploads;MAILINDEX=1"), fs.readFileSync(file, "latin1"));
});

/** A connection of another client of joe, for changes that a program is to find. */
async function other(): Promise<ImapTalk> {
  const socket = tls.connect({
    port,
    host: "127.0.0.1",
    servername: "localhost",
    ca: fs.readFileSync(machine.ca),
    cert: fs.readFileSync(joe.cert),
    key: fs.readFileSync(joe.key),
  });
  const talk = await ImapTalk.start(socket);
  await talk.ok("LOGIN joe secret");
  return talk;
}

/** Names of the messages in a Maildir. */
function messagesIn(folder: string): readonly string[] {
  return ["new", "cur"].flatMap((name) => fs.readdirSync(`${folder}/${name}`).map((file) => `${name}/${file}`));
}

/** The message of that subject in a Maildir. */
function findMessage(folder: string, subject: string): string {
  const found = messagesIn(folder).find((file) => {
    return fs.readFileSync(`${folder}/${file}`, "latin1").includes(`Subject: ${subject}\n`);
  });
  assert.ok(found !== undefined, subject);
  return found;
}

test("mbsync fetches all, and carries changes both ways", { skip: skipWithout("mbsync") }, async () => {
  const at = (name: string): string => machine.folder.join("mbsync", name);
  fs.mkdirSync(at(""));
  fs.writeFileSync(
    at("rc"),
    `FSync no
IMAPAccount holdfast
Host localhost
Port ${port}
User joe
Pass secret
SSLType IMAPS
CertificateFile ${machine.ca}
ClientCertificate ${joe.cert}
ClientKey ${joe.key}

IMAPStore server
Account holdfast

MaildirStore local
Path ${at("")}/
Inbox ${at("INBOX")}
SubFolders Verbatim

Channel all
Far :server:
Near :local:
Patterns INBOX from-mbsync
Create Both
Expunge Both
SyncState *
`,
  );
  const sync = (): string => runPeer("mbsync", ["-c", at("rc"), "all"]);
  sync();
  const inbox = at("INBOX");
  assert.equal(messagesIn(inbox).length, messages);

  fs.writeFileSync(`${inbox}/new/1.1.here`, "Subject: written here\n\ntext\n");
  for (const name of ["cur", "new", "tmp"]) fs.mkdirSync(`${at("from-mbsync")}/${name}`, { recursive: true });
  fs.writeFileSync(`${at("from-mbsync")}/cur/1.2.here:2,FS`, "Subject: in a new mailbox\n\ntext\n");
  fs.renameSync(`${inbox}/${findMessage(inbox, "message 3")}`, `${inbox}/cur/1.3.here,U=3:2,ST`);
  await using talk = await other();
  await talk.ok("SELECT INBOX");
  await talk.ok("STORE 5 +FLAGS (\\Flagged \\Answered)");
  await talk.ok("STORE 6 +FLAGS (\\Deleted)");
  await talk.ok("EXPUNGE");
  await talk.ok("APPEND INBOX (\\Seen) ", Buffer.from("Subject: written there\r\n\r\ntext\r\n"));
  sync();
  assert.match(findMessage(inbox, "message 5"), /:2,FR$/);
  assert.match(findMessage(inbox, "written there"), /:2,S$/);
  assert.equal(messagesIn(inbox).length, messages);
  await talk.ok("NOOP");
  assert.match((await talk.ok('SEARCH SUBJECT "written here"')).untagged.join(), /^SEARCH [0-9]+$/);
  assert.equal((await talk.ok('SEARCH OR HEADER Message-ID "<3@" HEADER Message-ID "<6@"')).untagged.join(), "SEARCH");
  await talk.ok("SELECT from-mbsync");
  assert.deepEqual((await talk.ok("FETCH 1 FLAGS")).untagged, ["1 FETCH (FLAGS (\\Flagged \\Seen))"]);
});

test("neomutt opens the mailbox, reads, marks and copies", { skip: skipWithout("neomutt", "script") }, async () => {
  const at = (name: string): string => machine.folder.join("neomutt", name);
  fs.mkdirSync(at(""));
  fs.writeFileSync(at("client.pem"), fs.readFileSync(joe.cert, "utf8") + fs.readFileSync(joe.key, "utf8"));
  fs.writeFileSync(
    at("rc"),
    `set folder = "imaps://joe@localhost:${port}/" spoolfile = "+INBOX" imap_pass = secret
set certificate_file = ${machine.ca} ssl_client_cert = ${at("client.pem")}
set confirmappend = no confirmcreate = no delete = yes move = no wait_key = no sort = mailbox-order mail_check = 0
push "<tag-pattern>~s 'message 4[23]$'<enter><tag-prefix><copy-message>${at("copies")}<enter><tag-prefix><set-flag>!<untag-pattern>.<enter><limit>~s 'message 44$'<enter><display-message><exit><limit>~A<enter><limit>~s 'message 45$'<enter><delete-message><quit>"
`,
  );
  const words = `neomutt -n -F ${at("rc")}`;
  runPeer("script", ["-qec", words, "/dev/null"], { env: { TERM: "xterm", HOME: at("") }, timeout: 60_000 });
  const copies = fs.readFileSync(at("copies"), "latin1");
  assert.match(
    copies,
    /^From [^]*\nSubject: message 42\n[^]*This is message 42\.\n[^]*\n\nFrom [^]*This is message 43\.\n/,
  );
  await using talk = await other();
  await talk.ok("SELECT INBOX");
  const search = async (key: string): Promise<string> => (await talk.ok(`UID SEARCH UID 42:45 ${key}`)).untagged.join();
  assert.equal(await search("FLAGGED"), "SEARCH 42 43");
  assert.equal(await search("SEEN"), "SEARCH 44");
  assert.equal(await search("ALL"), "SEARCH 42 43 44");
});

test("offlineimap carries changes both ways", { skip: skipWithout("offlineimap") }, async () => {
  const at = (name: string): string => machine.folder.join("offlineimap", name);
  fs.mkdirSync(at(""));
  fs.writeFileSync(
    at("rc"),
    `[general]
accounts = joe
metadata = ${at("state")}
ui = quiet
fsync = False
[Account joe]
localrepository = here
remoterepository = there
[Repository here]
type = Maildir
localfolders = ${at("mail")}
[Repository there]
type = IMAP
remotehost = localhost
remoteport = ${port}
remoteuser = joe
remotepass = secret
ssl = yes
sslcacertfile = ${machine.ca}
sslclientcert = ${joe.cert}
sslclientkey = ${joe.key}
folderfilter = lambda name: name == 'offline'
`,
  );
  await using talk = await other();
  await talk.ok("CREATE offline");
  const count = 30;
  for (let number = 1; number <= count; number++) {
    await talk.ok("APPEND offline ", Buffer.from(messageText(number).replaceAll("\n", "\r\n")));
  }
  const sync = (): string => runPeer("offlineimap", ["-1", "-o", "-c", at("rc")]);
  sync();
  const folder = at("mail/offline");
  assert.equal(messagesIn(folder).length, count);

  fs.writeFileSync(`${folder}/new/1.1.here`, "Subject: written here\n\ntext\n");
  const read = findMessage(folder, "message 3");
  fs.renameSync(`${folder}/${read}`, `${folder}/cur/${read.replace(/^(new|cur)\//, "").replace(/:2,.*|$/, ":2,FS")}`);
  fs.unlinkSync(`${folder}/${findMessage(folder, "message 4")}`);
  await talk.ok("SELECT offline");
  await talk.ok("STORE 5 +FLAGS (\\Answered)");
  await talk.ok("STORE 6 +FLAGS (\\Deleted)");
  await talk.ok("EXPUNGE");
  sync();
  assert.match(findMessage(folder, "message 5"), /:2,R/);
  assert.equal(messagesIn(folder).length, count - 1);
  await talk.ok("NOOP");
  const search = async (key: string): Promise<string> => (await talk.ok(`UID SEARCH ${key}`)).untagged.join();
  assert.equal(await search("FLAGGED SEEN"), "SEARCH 3");
  assert.equal(await search('OR SUBJECT "written here" UID 4,6'), `SEARCH ${count + 1}`);
});

test("ImapFlow reads all, is told what others do, and moves", async () => {
  const client = new ImapFlow({
    host: "localhost",
    port,
    secure: true,
    tls: { ca: fs.readFileSync(machine.ca), cert: fs.readFileSync(joe.cert), key: fs.readFileSync(joe.key) },
    auth: { user: "joe", pass: "secret" },
    qresync: true,
    logger: false,
  });
  await client.connect();
  await client.mailboxCreate("moved");
  const lock = await client.getMailboxLock("INBOX");
  const mailbox = client.mailbox;
  assert.ok(typeof mailbox === "object");
  let read = 0;
  for await (const message of client.fetch("1:*", { uid: true, envelope: true, flags: true, bodyStructure: true })) {
    if (/^message [0-9]+$/.test(message.envelope?.subject ?? "")) read += 1;
  }
  assert.ok(read >= messages - 10, `${read}`);
  const one = await client.fetchOne("100", { source: true }, { uid: true });
  assert.ok(typeof one === "object" && one.source?.includes("This is message 100."));

  const added = once(client, "exists") as Promise<{ readonly count: number; readonly prevCount: number }[]>;
  await using talk = await other();
  await talk.ok("APPEND INBOX ", Buffer.from("Subject: for ImapFlow\r\n\r\ntext\r\n"));
  const idling = client.idle();
  const [news] = await added;
  assert.equal(news?.count, (news?.prevCount ?? 0) + 1);
  const found = await client.search({ subject: "for ImapFlow" }, { uid: true });
  await idling;
  assert.ok(Array.isArray(found) && found.length === 1);
  const moved = await client.messageMove(found, "moved", { uid: true });
  assert.ok(typeof moved === "object");
  assert.deepEqual(moved.uidMap, new Map([[found[0], 1]]));
  lock.release();
  assert.equal(((await client.status("moved", { messages: true })) as { messages: number }).messages, 1);
  await client.logout();
});
