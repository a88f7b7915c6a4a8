/** `mail fetch` is killed a hundred times: no message is lost, none comes twice. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, suite, test } from "node:test";
import { startScript, transcriptOf, type Transcript } from "../cli/run-holdfast.ts";
import { skipDovecot } from "../peers/dovecot.ts";
import { fetchScene, numbered, type FetchProtocol, type FetchScene } from "../peers/fetch-scene.ts";

const fixture = path.join(import.meta.dirname, "mail-fetch-fixture.ts");
const rounds = 25;
const callsOfARound = 60;

suite("mail fetch, killed", { skip: skipDovecot("openssl") }, () => {
  let scene: FetchScene;
  before(async () => {
    scene = await fetchScene();
  });
  after(async () => {
    await scene[Symbol.asyncDispose]();
  });

  for (const protocol of ["pop3", "imap"] as const satisfies readonly FetchProtocol[]) {
    for (const kind of ["mbox", "maildir"] as const) {
      test(`${rounds} times, by ${protocol} into ${kind}`, async () => {
        const seed = Number(process.env["HOLDFAST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
        const below = randomBelow(seed);
        const target = scene.at(`${protocol}-${kind}`);
        const run = (call: number, moment: string): Promise<Transcript> => {
          const words = ["mail", "fetch", "-f", scene.classicFile(protocol), "--deliver", `${kind}:${target}-%T`];
          return transcriptOf(
            startScript(fixture, [`${call}`, moment, ...words], {
              HOME: scene.at(),
              XDG_STATE_HOME: scene.at("state"),
            }),
          );
        };
        let put = 0;
        let killed = 0;
        while (killed < rounds) {
          const more = 1 + below(6);
          for (const user of ["joe", "patrick"])
            scene.put(user, numbered(`${user}-${protocol}-${kind}`, put, put + more));
          put += more;
          const { status, stderr } = await run(1 + below(callsOfARound), below(2) === 0 ? "before" : "after");
          if (status === null) killed += 1;
          else assert.equal(status, 0, `HOLDFAST_SEED=${seed}: ${stderr}`);
        }
        const last = await run(0, "before");
        assert.equal(last.status, 0, `HOLDFAST_SEED=${seed}: ${last.stderr}`);
        for (const user of ["joe", "patrick"]) {
          assert.equal(scene.left(user), 0);
          const wanted = Array.from({ length: put }, (_, index) => `${user}-${protocol}-${kind}-${index}`);
          assert.deepEqual(subjectsOf(`${target}-${user}`).toSorted(), wanted.toSorted(), `HOLDFAST_SEED=${seed}`);
        }
      });
    }
  }
});

function randomBelow(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >> 8) % limit;
  };
}

/** Of every message in an mbox or a Maildir; one that is not whole has none. */
function subjectsOf(place: string): readonly string[] {
  const texts = fs.statSync(place).isDirectory()
    ? fs.readdirSync(path.join(place, "new")).map((name) => fs.readFileSync(path.join(place, "new", name), "latin1"))
    : fs.readFileSync(place, "latin1").split(/^(?=From )/m);
  return texts.map((text) => {
    const subject = /^Subject: (.*)$/m.exec(text)?.[1] ?? "no subject";
    return text.trimEnd().endsWith(`end ${subject}`) ? subject : `${subject}, cut off`;
  });
}
