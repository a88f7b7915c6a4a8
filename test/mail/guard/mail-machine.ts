/** A mail machine for tests: authority, users joe and anna of example.org, certificates as files, mail in Maildirs. */
import * as fs from "node:fs";
import * as net from "node:net";
import * as tls from "node:tls";
import { serveMail, type MailServer, type ServeMailOptions } from "../../../src/mail/guard/index.ts";
import {
  chainPem,
  createAuthority,
  encodePem,
  issueClient,
  renewRevocationList,
  revokeCertificates,
  type Authority,
} from "../../../src/mail/pki/index.ts";
import { temporaryFolder, type TemporaryFolder } from "../../temp.ts";

export interface ClientFiles {
  /** PEM files. */
  readonly cert: string;
  readonly key: string;
  readonly serial: string;
}

export class MailMachine implements AsyncDisposable {
  readonly folder: TemporaryFolder = temporaryFolder();
  readonly authority: Authority;
  readonly audit: string;
  #server: MailServer | undefined;
  readonly notices: string[] = [];

  private constructor(folder: TemporaryFolder, authority: Authority) {
    this.folder = folder;
    this.authority = authority;
    this.audit = folder.join("audit");
  }

  static async make(): Promise<MailMachine> {
    const folder = temporaryFolder();
    const authority = await createAuthority(folder.join("pki"), {
      organization: "example.org",
      passphrase: "correct horse battery",
      keyType: "ec-p256",
      hosts: ["mail.example.org", "localhost", "127.0.0.1", "::1"],
      now: new Date(),
    });
    fs.mkdirSync(folder.join("domains/example.org"), { recursive: true });
    fs.writeFileSync(folder.join("domains/example.org/imap.passwd"), "joe:{PLAIN}secret\nanna:{PLAIN}geheim\n");
    const machine = new MailMachine(folder, authority);
    machine.settings();
    return machine;
  }

  /** Path of the root's certificate, which clients check the server by. */
  get ca(): string {
    const file = this.folder.join("ca.pem");
    if (!fs.existsSync(file)) fs.writeFileSync(file, fs.readFileSync(this.folder.join("pki/root.pem")));
    return file;
  }

  /** Writes mail.toml: its usual lines, these of `[server]`, and these of `[mailboxes]` and other tables. */
  settings(more = "", server = ""): void {
    const account = process.getuid?.() === 0 && !/^account/m.test(server) ? 'account = "root"\n' : "";
    const processes = /^processes/m.test(server) ? "" : "processes = 2\n";
    const lines = `[server]\nlisten = ["127.0.0.1", "::1"]\nimaps_port = 0\npop3s_port = 0\naudit = "audit"\n${processes}`;
    const home = `[mailboxes]\nhome = "${this.folder.join("home")}/%n"\n`;
    fs.writeFileSync(this.folder.join("mail.toml"), `${lines}${account}${server}${home}${more}`);
  }

  async client(mailbox: string, device = "laptop", time = { days: 100, now: new Date() }): Promise<ClientFiles> {
    const request = { mailbox, device, keyType: "ec-p256", ...time, replace: false } as const;
    const { issued, privateKey } = await issueClient(this.authority, request);
    const name = this.folder.join(`${mailbox}-${device}`);
    const pem = encodePem("CERTIFICATE", issued.certificate.der) + chainPem(this.authority, issued.certificate);
    fs.writeFileSync(`${name}.pem`, pem);
    fs.writeFileSync(`${name}.key`, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    return { cert: `${name}.pem`, key: `${name}.key`, serial: issued.certificate.serial };
  }

  async revoke({ serial }: ClientFiles): Promise<void> {
    await revokeCertificates(this.authority, [serial], { reason: "keyCompromise", now: new Date() });
  }

  async renewList(): Promise<void> {
    await renewRevocationList(this.folder.join("pki"), new Date());
    await this.taken();
  }

  /** The server looks at its files whether told of a change or not; this waits until it has. */
  async taken(): Promise<void> {
    await this.#server?.reload();
  }

  async start(changes: Partial<ServeMailOptions> = {}): Promise<MailServer> {
    this.#server = await serveMail({
      folder: this.folder.path,
      clock: Date.now,
      onNotice: (text) => this.notices.push(text),
      ...changes,
    });
    return this.#server;
  }

  port(protocol: "imaps" | "pop3s", address = "127.0.0.1"): number {
    const found = this.#server?.served.find((one) => one.protocol === protocol && one.address === address);
    if (found?.port === undefined) throw new Error(`${protocol} is not served at ${address}`);
    return found.port;
  }

  /** Puts messages where a program that delivers would. */
  deliver(user: string, ...messages: readonly string[]): void {
    const folder = this.folder.join("home", user, "Maildir");
    for (const name of ["cur", "new", "tmp"]) fs.mkdirSync(`${folder}/${name}`, { recursive: true });
    for (const [n, text] of messages.entries()) {
      fs.writeFileSync(`${folder}/new/${1_700_000_000 + n}.M${n}P1.host`, text.replace(/\r\n/g, "\n"));
    }
  }

  auditLines(): readonly string[] {
    return fs.existsSync(this.audit) ? fs.readFileSync(this.audit, "utf8").trimEnd().split("\n") : [];
  }

  /** Resolves once the audit has a line like that. */
  audited(pattern: RegExp): Promise<string> {
    return found(() => this.auditLines(), pattern);
  }

  /** Resolves once the server has told its owner something like that. */
  noticed(pattern: RegExp): Promise<string> {
    return found(() => this.notices, pattern);
  }

  connect(protocol: "imaps" | "pop3s", client: ClientFiles | undefined, options: tls.ConnectionOptions = {}): Talk {
    const shown = client === undefined ? {} : { cert: fs.readFileSync(client.cert), key: fs.readFileSync(client.key) };
    return new Talk(
      tls.connect({
        port: this.port(protocol),
        host: "127.0.0.1",
        servername: "localhost",
        ca: fs.readFileSync(this.ca),
        ...shown,
        ...options,
      }),
    );
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.folder[Symbol.asyncDispose]();
  }
}

async function found(lines: () => readonly string[], pattern: RegExp): Promise<string> {
  for (;;) {
    const line = lines().find((one) => pattern.test(one));
    if (line !== undefined) return line;
    await new Promise((resolve) => void setTimeout(resolve, 20));
  }
}

/** A client that speaks lines. */
export class Talk {
  readonly socket: tls.TLSSocket;
  #text = "";
  error: NodeJS.ErrnoException | undefined;
  readonly #closed: Promise<void>;
  #wake: () => void = () => undefined;

  constructor(socket: tls.TLSSocket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#text += text;
      this.#wake();
    });
    socket.on("error", (error) => (this.error ??= error));
    this.#closed = new Promise((resolve) => {
      socket.once("close", () => {
        resolve();
        this.#wake();
      });
    });
  }

  /** All that came before the end. */
  async rest(): Promise<string> {
    await this.#closed;
    return this.#text;
  }

  send(text: string): void {
    this.socket.write(text);
  }

  /** What comes up to and with this; throws where the connection ends before. */
  async until(end: string): Promise<string> {
    for (;;) {
      const at = this.#text.indexOf(end);
      if (at !== -1) {
        const text = this.#text.slice(0, at + end.length);
        this.#text = this.#text.slice(at + end.length);
        return text;
      }
      if (this.socket.destroyed) throw new Error(`ended after ${JSON.stringify(this.#text)}`, { cause: this.error });
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Sends a line and gives the first line of the answer. */
  async ask(line: string): Promise<string> {
    this.send(`${line}\r\n`);
    return (await this.until("\r\n")).trimEnd();
  }
}

/** A socket of TCP without TLS. */
export async function plainConnection(port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  await new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return socket;
}
