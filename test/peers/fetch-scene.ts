/** Dovecot with client certificates, mail in it, and a `.fetchmailrc` of two users that fetches it. */
import * as fs from "node:fs";
import * as path from "node:path";
import { runHoldfast, type Transcript } from "../cli/run-holdfast.ts";
import { startDovecot, type Dovecot } from "./dovecot.ts";
import { makeTestPki, type TestPki } from "./test-pki.ts";

export type FetchProtocol = "pop3" | "imap";

export interface FetchScene extends AsyncDisposable {
  readonly dovecot: Dovecot;
  readonly pki: TestPki;
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

const scenePasswords = { joe: "secret", patrick: "hush" } as const;

export async function fetchScene(): Promise<FetchScene> {
  const made = fs.mkdtempSync("/tmp/holdfast-test-");
  const pki = makeTestPki(path.join(made, "pki"));
  const tls = { ...pki.server, ca: pki.ca };
  const dovecot = await startDovecot({ protocols: ["imap", "pop3"], users: scenePasswords, tls });
  const at = (...names: readonly string[]): string => path.join(made, ...names);
  const port = (protocol: FetchProtocol): number => (protocol === "pop3" ? dovecot.pop3sPort : dovecot.imapsPort);
  const inbox = (user: string, part: string): string => path.join(dovecot.home(user), "Maildir", part);
  const names = { next: 0 };
  const writeFile = (text: string): string => {
    const file = at(`fetchmailrc-${names.next++}`);
    fs.writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  return {
    dovecot,
    pki,
    at,
    port,
    writeFile,
    classicFile(protocol, more = "") {
      const users = Object.entries(scenePasswords).map(([user, password]) => {
        const { certificate, key } = pki.user(user);
        const secured = `ssl sslcert "${certificate}" sslkey "${key}" sslcertck sslcertfile "${pki.ca}"`;
        return `  user "${user}" there with password "${password}" is ${user} here ${secured} ${more}\n`;
      });
      return writeFile(`poll localhost proto ${protocol} service ${port(protocol)}\n${users.join("")}`);
    },
    put(user, messages) {
      fs.mkdirSync(inbox(user, "new"), { recursive: true });
      for (const message of messages) {
        const name = `${1_700_000_000 + names.next++}.M1P1Q${names.next}.host`;
        fs.writeFileSync(path.join(inbox(user, "new"), name), message);
      }
    },
    left(user) {
      const parts = ["new", "cur"].map((part) => inbox(user, part)).filter((folder) => fs.existsSync(folder));
      return parts.reduce((count, folder) => count + fs.readdirSync(folder).length, 0);
    },
    fetch: (...words) =>
      runHoldfast(["mail", "fetch", ...words], { HOME: made, XDG_STATE_HOME: at("state"), USER: "joe" }),
    async [Symbol.asyncDispose]() {
      await dovecot[Symbol.asyncDispose]();
      fs.rmSync(made, { recursive: true, force: true });
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
