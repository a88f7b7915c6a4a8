/** A server with client certificates, mail in it, and a `.fetchmailrc` of two users that fetches it. */
import * as fs from "node:fs";
import * as path from "node:path";
import { runHoldfast, type Transcript } from "../cli/run-holdfast.ts";
import { MailMachine, type ClientFiles } from "../mail/guard/mail-machine.ts";
import { startDovecot, type Dovecot } from "./dovecot.ts";
import { makeTestPki, type TestPki } from "./test-pki.ts";

export type FetchProtocol = "pop3" | "imap";

export interface FetchScene extends AsyncDisposable {
  readonly users: readonly string[];
  /** A path in a folder of the scene's own. */
  at(...names: readonly string[]): string;
  port(protocol: FetchProtocol): number;
  /** The classic file: both users, each with a certificate; `more` is put behind each user. */
  classicFile(protocol: FetchProtocol, more?: string): string;
  /** Writes a `.fetchmailrc` that only its owner may read. */
  writeFile(text: string): string;
  /** Puts messages into INBOX, as a delivery would. */
  put(user: string, messages: readonly string[]): void;
  /** What is in INBOX still. */
  left(user: string): number;
  fetch(...words: readonly string[]): Promise<Transcript>;
}

export interface DovecotScene extends FetchScene {
  readonly dovecot: Dovecot;
  readonly pki: TestPki;
}

const dovecotUsers = { joe: "secret", patrick: "hush" } as const;

/** Mail in Debian's Dovecot. */
export async function fetchScene(): Promise<DovecotScene> {
  const made = fs.mkdtempSync("/tmp/holdfast-test-");
  const pki = makeTestPki(path.join(made, "pki"));
  const tls = { ...pki.server, ca: pki.ca };
  const dovecot = await startDovecot({ protocols: ["imap", "pop3"], users: dovecotUsers, tls });
  const scene = sceneOf(made, {
    passwords: dovecotUsers,
    ca: pki.ca,
    clientOf(user) {
      const { certificate, key } = pki.user(user);
      return { cert: certificate, key };
    },
    port: (protocol) => (protocol === "pop3" ? dovecot.pop3sPort : dovecot.imapsPort),
    inbox: (user) => path.join(dovecot.home(user), "Maildir"),
  });
  return {
    ...scene,
    dovecot,
    pki,
    async [Symbol.asyncDispose]() {
      await dovecot[Symbol.asyncDispose]();
      fs.rmSync(made, { recursive: true, force: true });
    },
  };
}

/** Mail in our own server. */
export async function servedScene(): Promise<FetchScene> {
  const made = fs.mkdtempSync("/tmp/holdfast-test-");
  const machine = await MailMachine.make();
  const clients = new Map<string, ClientFiles>();
  for (const user of ["joe", "anna"]) clients.set(user, await machine.client(`${user}@example.org`));
  await machine.start();
  const scene = sceneOf(made, {
    passwords: { joe: "secret", anna: "geheim" },
    ca: machine.ca,
    clientOf: (user) => clients.get(user)!,
    port: (protocol) => machine.port(protocol === "pop3" ? "pop3s" : "imaps"),
    inbox: (user) => machine.folder.join("home", user, "Maildir"),
  });
  return {
    ...scene,
    async [Symbol.asyncDispose]() {
      await machine[Symbol.asyncDispose]();
      fs.rmSync(made, { recursive: true, force: true });
    },
  };
}

interface SceneParts {
  readonly passwords: Readonly<Record<string, string>>;
  readonly ca: string;
  readonly clientOf: (user: string) => { readonly cert: string; readonly key: string };
  readonly port: (protocol: FetchProtocol) => number;
  readonly inbox: (user: string) => string;
}

function sceneOf(
  made: string,
  { passwords, ca, clientOf, port, inbox }: SceneParts,
): Omit<FetchScene, keyof AsyncDisposable> {
  const at = (...names: readonly string[]): string => path.join(made, ...names);
  const names = { next: 0 };
  const writeFile = (text: string): string => {
    const file = at(`fetchmailrc-${names.next++}`);
    fs.writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  return {
    users: Object.keys(passwords),
    at,
    port,
    writeFile,
    classicFile(protocol, more = "") {
      const users = Object.entries(passwords).map(([user, password]) => {
        const { cert, key } = clientOf(user);
        const secured = `ssl sslcert "${cert}" sslkey "${key}" sslcertck sslcertfile "${ca}"`;
        return `  user "${user}" there with password "${password}" is ${user} here ${secured} ${more}\n`;
      });
      return writeFile(`poll localhost proto ${protocol} service ${port(protocol)}\n${users.join("")}`);
    },
    put(user, messages) {
      for (const part of ["tmp", "new", "cur"]) fs.mkdirSync(path.join(inbox(user), part), { recursive: true });
      for (const message of messages) {
        const name = `${1_700_000_000 + names.next++}.M1P1Q${names.next}.host`;
        fs.writeFileSync(path.join(inbox(user), "tmp", name), message);
        fs.renameSync(path.join(inbox(user), "tmp", name), path.join(inbox(user), "new", name));
      }
    },
    left(user) {
      const folders = ["new", "cur"].map((part) => path.join(inbox(user), part)).filter((one) => fs.existsSync(one));
      return folders.reduce((count, folder) => count + fs.readdirSync(folder).length, 0);
    },
    fetch: (...words) => {
      return runHoldfast(["mail", "fetch", ...words], { HOME: made, XDG_STATE_HOME: at("state"), USER: "joe" });
    },
  };
}

/** Messages that are each known by a word in their Subject. */
export function numbered(user: string, from: number, to: number, lines = 20): readonly string[] {
  return Array.from({ length: to - from }, (_, index) => {
    const word = `${user}-${from + index}`;
    const text = Array.from({ length: lines }, (__, line) => `line ${line} of ${word}\n`).join("");
    const header = `Return-Path: <s@example.com>\nFrom: S <s@example.com>\nTo: ${user}@example.org\nSubject: ${word}\n`;
    return `${header}Message-ID: <${word}@example.com>\n\nFrom the first line on\n.\n..dots\n${text}end ${word}\n`;
  });
}
