/** One guard in this process, with a clock of the test's own. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, connect, type AddressInfo, type Server } from "node:net";
import * as fs from "node:fs";
import * as tls from "node:tls";
import { after, before, test } from "node:test";
import type { AuditLine } from "../../../src/mail/guard/audit.ts";
import { Guard, type GuardSettings } from "../../../src/mail/guard/guard.ts";
import type { Office } from "../../../src/mail/guard/office.ts";
import { readTrustFiles, trustOf } from "../../../src/mail/guard/trust.ts";
import type { ServeConnection } from "../../../src/mail/connection.ts";
import { MailMachine, Talk, type ClientFiles } from "./mail-machine.ts";

const dayMs = 86_400_000;
const limits = {
  connections: 100,
  connectionsPerAddress: 100,
  connectionsPerCertificate: 100,
  handshakesPerAddress: 100,
  refusalsPerCertificate: 100,
  refusalsPerAddress: 100,
  windowMs: 1000,
  banMs: 1000,
  handshakeMs: 50,
  loginMs: 50,
};

let machine: MailMachine;
let joe: ClientFiles;
before(async () => {
  machine = await MailMachine.make();
  joe = await machine.client("joe@example.org", "laptop", { days: 3000, now: new Date() });
});
after(() => machine[Symbol.asyncDispose]());

/** Says hello, and stays until it is told to end. */
const hello: ServeConnection = async ({ socket, signal }) => {
  socket.write("hello\r\n");
  if (!signal.aborted) await once(signal, "abort");
};

class Served implements AsyncDisposable {
  now = Date.now();
  readonly audit: AuditLine[] = [];
  readonly guard: Guard;
  readonly #server: Server;

  constructor(settings: Partial<GuardSettings> = {}) {
    const pki = machine.folder.join("pki");
    const own = `${pki}/server.pem`;
    const office: Office = {
      hold: async () => undefined,
      release: () => undefined,
      refuse: () => undefined,
      checkPassword: async () => ({ isRight: false, why: "wrong password" }),
      checkUser: async () => ({ isRight: false, why: "unknown user" }),
      findUser: async () => undefined,
    };
    this.guard = new Guard({
      settings: { allowsExternal: false, expiredRevocationList: "refuse", limits, ...settings },
      trust: trustOf(readTrustFiles({ certificate: own, key: own, authorities: [`${pki}/bundle.pem`] })),
      office,
      audit: { write: (line) => this.audit.push(line) },
      clock: () => this.now,
      openStore: () => assert.fail("nobody logs in"),
      protocols: { imaps: hello, pop3s: hello },
    });
    this.#server = createServer({ pauseOnConnect: true }, (raw) => {
      void this.guard.serve({ raw, protocol: "pop3s", address: "127.0.0.1" });
    });
  }

  async port(): Promise<number> {
    if (!this.#server.listening)
      await new Promise<void>((resolve) => void this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async connect(): Promise<Talk> {
    const files = { ca: fs.readFileSync(machine.ca), cert: fs.readFileSync(joe.cert), key: fs.readFileSync(joe.key) };
    return new Talk(tls.connect({ port: await this.port(), servername: "localhost", ...files }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.guard.stop();
    await new Promise((resolve) => void this.#server.close(resolve));
  }
}

const patient = { limits: { ...limits, handshakeMs: 10_000, loginMs: 10_000 } };

test("past the end of the list nobody gets in, and whoever is in is cut off", async () => {
  await using served = new Served(patient);
  const early = await served.connect();
  await early.until("hello\r\n");
  served.now += 400 * dayMs;
  const late = await served.connect();
  assert.equal(await late.rest(), "");
  assert.match(late.error?.message ?? "", /certificate unknown/);
  assert.equal(served.audit.at(-1)?.["why"], "revocation list expired");
  served.guard.checkAgain();
  await early.rest();
});

test("past the end of the list they do get in where the settings say so", async () => {
  await using served = new Served({ ...patient, expiredRevocationList: "accept" });
  served.now += 400 * dayMs;
  const late = await served.connect();
  assert.equal(await late.until("\r\n"), "hello\r\n");
  served.guard.checkAgain();
  served.now += 4000 * dayMs; // past the certificate's own end
  served.guard.checkAgain();
  await late.rest();
});

test("a handshake that never comes to its end, and a login that never comes, are ended", async () => {
  await using served = new Served();
  const silent = connect(await served.port(), "127.0.0.1");
  await new Promise((resolve) => void silent.once("close", resolve));
  assert.equal(served.audit.at(-1)?.["why"], "it took too long");
  const half = connect(await served.port(), "127.0.0.1");
  half.write(Buffer.from([22, 3, 1, 2, 0, 1])); // the beginning of a ClientHello
  await new Promise((resolve) => void half.once("close", resolve));
  await using waiting = new Served({ limits: { ...limits, handshakeMs: 10_000 } });
  const idle = await waiting.connect();
  assert.equal(await idle.rest(), "hello\r\n");
  assert.equal(waiting.audit.at(-1)?.["why"], "no login in time");
});
