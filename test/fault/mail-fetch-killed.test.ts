/** `mail fetch` is killed a hundred times: no message is lost, none comes twice. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, suite, test } from "node:test";
import { startScript, transcriptOf, type Transcript } from "../cli/run-holdfast.ts";
import { skipDovecot } from "../peers/dovecot.ts";
import { fetchScene, numbered, servedScene, type FetchScene } from "../peers/fetch-scene.ts";

const fixture = path.join(import.meta.dirname, "mail-fetch-fixture.ts");
const rounds = 25;
/** That many calls has a run of few messages, or some more; every part of them is met, in another order each time. */
const callsOfARound = 60;
const stride = 37;

const ways = [
  ["Dovecot", "pop3", "mbox"],
  ["Dovecot", "imap", "maildir"],
  ["mail serve", "imap", "mbox"],
  ["mail serve", "pop3", "maildir"],
] as const;

suite("mail fetch, killed", { skip: skipDovecot("openssl") }, () => {
  let dovecot: FetchScene;
  let served: FetchScene;
  before(async () => {
    dovecot = await fetchScene();
    served = await servedScene();
  });
  after(async () => {
    await dovecot[Symbol.asyncDispose]();
    await served[Symbol.asyncDispose]();
  });

  for (const [server, protocol, kind] of ways) {
    test(`${rounds} times, from ${server} by ${protocol} into ${kind}`, async () => {
      const scene = server === "Dovecot" ? dovecot : served;
      const { users } = scene;
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
      const start = below(callsOfARound);
      const put = new Map<string, number>();
      let killed = 0;
      for (let tries = 0; killed < rounds; tries += 1) {
        for (const user of users) {
          if (scene.left(user) > 0) continue; // few at a time: a run is as long as another
          const from = put.get(user) ?? 0;
          const to = from + 1 + below(5);
          scene.put(user, numbered(`${user}-${protocol}-${kind}`, from, to));
          put.set(user, to);
        }
        const { status, stderr } = await run(
          1 + ((start + stride * tries) % callsOfARound),
          below(2) === 0 ? "before" : "after",
        );
        if (status === null) killed += 1;
        else assert.equal(status, 0, `HOLDFAST_SEED=${seed}: ${stderr}`);
      }
      const last = await run(0, "before");
      assert.equal(last.status, 0, `HOLDFAST_SEED=${seed}: ${last.stderr}`);
      for (const user of users) {
        assert.equal(scene.left(user), 0);
        const wanted = Array.from({ length: put.get(user) ?? 0 }, (_, index) => `${user}-${protocol}-${kind}-${index}`);
        assert.deepEqual(subjectsOf(`${target}-${user}`).toSorted(), wanted.toSorted(), `HOLDFAST_SEED=${seed}`);
      }
    });
  }
});

/** Mulberry32. */
function randomBelow(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
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
