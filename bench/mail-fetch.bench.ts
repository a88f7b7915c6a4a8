import * as fs from "node:fs";
import * as path from "node:path";
import { startDovecot } from "../test/peers/dovecot.ts";
import { makeTestPki } from "../test/peers/test-pki.ts";
import type { Bench, Contest } from "./bench.ts";
import { benchMessage } from "./mail-inputs.ts";

const messages = 2000;

interface Way {
  readonly protocol: "pop3" | "imap";
  /** What fetchmail is told to do with mail, and how the table calls it. */
  readonly theirs: { readonly option: (output: string) => string; readonly name: string; readonly ratioLimit: number };
}

const procmail = {
  option: (output: string) => `mda "/usr/bin/procmail -Y DEFAULT=${output} ORGMAIL=${output} /dev/null"`,
  name: "fetchmail, procmail",
  ratioLimit: 0.5,
};
/** The fastest that fetchmail can: it writes one file, in no format of a mailbox, and flushes nothing. */
const bsmtp = {
  option: (output: string) => `bsmtp "${output}"`,
  name: "fetchmail to a BSMTP file",
  ratioLimit: 1,
};

/** From one Dovecot, with client certificates, everything fetched and deleted there. */
async function contestOf(folder: string, { protocol, theirs }: Way): Promise<Contest> {
  const at = (name: string): string => path.join(folder, `fetch-${protocol}-${name}`);
  fs.rmSync(at("pki"), { recursive: true, force: true });
  const pki = makeTestPki(at("pki"));
  const dovecot = await startDovecot({ protocols: [protocol], tls: { ...pki.server, ca: pki.ca } });
  const { certificate, key } = pki.user("joe");
  const port = protocol === "pop3" ? dovecot.pop3sPort : dovecot.imapsPort;
  const secured = `ssl sslcert "${certificate}" sslkey "${key}" sslcertck sslcertfile "${pki.ca}"`;
  const rc = (name: string, option: string): string => {
    const text = `poll localhost proto ${protocol} service ${port} user joe password secret is joe here ${secured} ${option}\n`;
    fs.rmSync(at(name), { force: true });
    fs.writeFileSync(at(name), text, { mode: 0o600 });
    return at(name);
  };
  const fill = (): void => {
    const maildir = path.join(dovecot.home("joe"), "Maildir");
    fs.rmSync(maildir, { recursive: true, force: true });
    fs.mkdirSync(path.join(maildir, "new"), { recursive: true });
    for (let n = 0; n < messages; n += 1) {
      const text = benchMessage(n).toString("latin1").replaceAll("\r\n", "\n");
      fs.writeFileSync(path.join(maildir, "new", `${1_700_000_000 + n}.M${n}P1.bench`), text, "latin1");
    }
  };
  const [ours, other, state] = [at("ours.mbox"), at("theirs.mbox"), at("state")];
  const environment = ["env", `HOME=${folder}`, `XDG_STATE_HOME=${state}`];
  return {
    ours: [...environment, "./holdfast", "mail", "fetch", "-f", rc("ours", ""), "--deliver", `mbox:${ours}`],
    theirs: [...environment, "fetchmail", "-s", "-f", rc("theirs", theirs.option(other)), "--pidfile", at("pid")],
    outputs: [ours, other, state],
    beforeOurs: fill,
    beforeTheirs: fill,
    cleanUp: () => dovecot[Symbol.asyncDispose](),
  };
}

function fetching(way: Way): Bench {
  return {
    name: `mail: fetch ${messages} messages from Dovecot by ${way.protocol} into an mbox`,
    peer: way.theirs.name,
    ratioLimit: way.theirs.ratioLimit,
    runs: 3,
    prepare: (folder) => contestOf(folder, way),
  };
}

/** `mail fetch` against fetchmail. */
export const benches: readonly Bench[] = [
  fetching({ protocol: "pop3", theirs: procmail }),
  fetching({ protocol: "imap", theirs: procmail }),
  fetching({ protocol: "pop3", theirs: bsmtp }),
  fetching({ protocol: "imap", theirs: bsmtp }),
];
