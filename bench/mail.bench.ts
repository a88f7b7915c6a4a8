import * as path from "node:path";
import type { Bench, Contest } from "./bench.ts";
import { rareWord } from "./mail-inputs.ts";
import {
  forgetIndex,
  idleClient,
  memoryOf,
  password,
  startServers,
  user,
  type MailServer,
  type MailServers,
} from "./mail-servers.ts";

const peer = "Dovecot 2.3";
/** 0.7 times as fast: 1 / 0.7. */
const ratioLimit = 1.43;
const client = path.join(import.meta.dirname, "mail-client.ts");
const idleConnections = 500;

interface MailBench extends Pick<Bench, "name" | "ratioLimit"> {
  readonly job: string;
  readonly port: (server: MailServer) => number | string;
  readonly more?: (servers: MailServers) => string;
  /** Done to a server before each of its runs. */
  readonly before?: (server: MailServer) => Promise<void>;
}

function words({ job, port, more }: MailBench, servers: MailServers, server: MailServer): readonly string[] {
  const { certificates } = servers;
  return [process.execPath, client, job, `${port(server)}`, certificates, user, password, more?.(servers) ?? ""];
}

function bench(of: MailBench): Bench {
  return {
    name: of.name,
    peer,
    ratioLimit: of.ratioLimit ?? ratioLimit,
    async prepare(folder): Promise<Contest> {
      const servers = await startServers(folder);
      const { ours, theirs } = servers;
      return {
        ours: words(of, servers, ours),
        theirs: words(of, servers, theirs),
        outputs: [],
        beforeOurs: async () => of.before?.(ours),
        beforeTheirs: async () => of.before?.(theirs),
        ourProcess: ours.pid(),
        cleanUp: () => servers[Symbol.asyncDispose](),
      };
    },
  };
}

const imaps = (server: MailServer): number => server.imapsPort;
const pop3s = (server: MailServer): number => server.pop3sPort;
const lmtp = (server: MailServer): string => server.lmtpSocket;

async function cold(server: MailServer): Promise<void> {
  await server.stop();
  forgetIndex(server.maildir);
  await server.start();
}

const idle: Bench = {
  name: "mail: memory of 500 idle connections of IMAP",
  peer,
  ratioLimit,
  async prepare(folder) {
    const servers = await startServers(folder);
    const measured = async (server: MailServer): Promise<number> => {
      const of = { name: "", job: "idle", port: imaps, more: () => `${idleConnections}` };
      const waiting = await idleClient(words(of, servers, server));
      const memory = memoryOf(server.pid());
      await waiting.end();
      return memory;
    };
    return {
      ours: [],
      theirs: [],
      outputs: [],
      amount: { unit: "MiB", ours: () => measured(servers.ours), theirs: () => measured(servers.theirs) },
      cleanUp: () => servers[Symbol.asyncDispose](),
    };
  },
};

export const benches: readonly Bench[] = [
  bench({ name: "mail: 400 logins with a certificate, four at a time", job: "logins", port: imaps, more: () => "400" }),
  bench({
    name: "mail: 10,000 messages whole by IMAP, 74 MB",
    job: "imap-fetch",
    port: imaps,
    more: ({ wireBytes }) => `${wireBytes}`,
  }),
  bench({ name: "mail: 10,000 messages whole by POP3, 74 MB", job: "pop3-fetch", port: pop3s }),
  bench({ name: "mail: ENVELOPE of 10,000 messages, cold", job: "envelope", port: imaps, before: cold }),
  bench({ name: "mail: ENVELOPE of 10,000 messages, warm", job: "envelope", port: imaps }),
  bench({
    name: "mail: SEARCH BODY of three words in 10,000 messages",
    ratioLimit: 1,
    job: "search",
    port: imaps,
    more: () => `${rareWord},karen,mivalo`,
  }),
  bench({ name: "mail: APPEND of 400 messages, four at a time", job: "append", port: imaps, more: () => "400" }),
  bench({ name: "mail: 400 deliveries by LMTP, four at a time", job: "lmtp", port: lmtp, more: () => "400" }),
  idle,
];
