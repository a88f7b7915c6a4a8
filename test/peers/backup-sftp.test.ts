/** Backups on another machine, behind OpenSSH's server. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { checkBackup, listBackups, restoreBackup, type StoreAccess } from "../../src/backup/index.ts";
import { openStore } from "../../src/backup/store/index.ts";
import { Failure } from "../../src/base/index.ts";
import { sampleDisk, save } from "../backup/sample-disk.ts";
import { assertBackupAt } from "../backup/store/backup-at.ts";
import { testStore } from "../backup/store/contract.ts";
import { assertReach, reachDisk } from "../backup/store/reach.ts";
import { runHoldfast } from "../cli/run-holdfast.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { noSmallFolder, smallFolder } from "./small-folder.ts";
import { endServer, startServer } from "./server.ts";
import { startSshd, type SshServer } from "./sshd.ts";

const skip = skipWithout("sshd", "ssh-keygen", "ssh-agent");
const folder = temporaryFolder();
let server: SshServer;
let disk = "";
let count = 0;

before(async () => {
  if (skip !== false) return;
  server = await startSshd();
  disk = await sampleDisk(folder, "gpt");
});

after(async () => {
  await server?.[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

function placeOf(systemPath: string): string {
  return `sftp://${server.user}@127.0.0.1:${server.port}${systemPath}`;
}

function access(home = server.home): StoreAccess {
  return { env: { HOME: home } };
}

testStore({
  kind: "a folder of OpenSSH's server",
  skip,
  newPlace: async () => `${placeOf(server.folder.join("data", `place ${++count}`))}/`,
  access: () => access(),
});

test("a disk is saved by SFTP, looked into, checked and restored", { skip }, async () => {
  const same = server.folder.join("data", "disks", "backup");
  const home = placeOf(server.folder.join("data", "disks"));
  await assertBackupAt({ home, disk, folder, access: access(), volumeBytes: 2 ** 20, same });
});

test("the command line takes such places", { skip }, async () => {
  const home = placeOf(server.folder.join("data", "words"));
  const env = { HOME: server.home };
  const saved = await runHoldfast(["backup", "save", disk, home, "--name", "b"], env);
  assert.deepEqual([saved.stderr, saved.status], ["", 0]);
  assert.equal((await runHoldfast(["backup", "ls", `${home}/b:2/usr`], env)).stdout, "noise\ntext\n");
  const refused = await runHoldfast(["backup", "list", home], { HOME: folder.path });
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /there is no key to show\nhint: --identity names one/);
  const word = await runHoldfast(["backup", "list", home.replace("@", ":secret@")], env);
  assert.equal(word.status, 2);
  assert.doesNotMatch(word.stderr, /secret/);
});

test("a host is trusted only by its key", { skip }, async () => {
  await using other = temporaryFolder();
  const ssh = other.join(".ssh");
  fs.mkdirSync(ssh);
  for (const name of ["id_ed25519", "id_ed25519.pub"]) fs.copyFileSync(`${server.home}/.ssh/${name}`, `${ssh}/${name}`);
  const place = placeOf(server.folder.join("data"));
  const look = async (more: Partial<StoreAccess> = {}): Promise<void> => {
    await using store = await openStore(place, { ...access(other.path), ...more });
    await store.list("");
  };
  await assert.rejects(look(), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, "refused");
    assert.ok(error.message.includes(server.fingerprint), error.message);
    assert.ok(error.hint?.includes(`--accept-host ${server.fingerprint}`), error.hint);
    return true;
  });
  await look({ acceptHost: server.fingerprint });
  await assert.rejects(look({ acceptHost: "SHA256:other" }), /is not known/);
  const list = `${ssh}/known_hosts`;
  fs.copyFileSync(`${server.home}/.ssh/known_hosts`, list);
  runPeer("ssh-keygen", ["-q", "-H", "-f", list]);
  assert.match(fs.readFileSync(list, "utf8"), /^\|1\|/);
  await look();
  const own = fs.readFileSync(`${ssh}/id_ed25519.pub`, "utf8").split(" ").slice(0, 2).join(" ");
  fs.writeFileSync(list, `[127.0.0.1]:${server.port} ${own}\n`);
  await assert.rejects(look({ acceptHost: server.fingerprint }), /is not the one that is known/);
  const real = fs.readFileSync(server.folder.join("host.pub"), "utf8").split(" ").slice(0, 2).join(" ");
  fs.writeFileSync(list, `[127.0.0.*]:${server.port} ${real}\n@revoked * ${real}\n`);
  await assert.rejects(look(), /was revoked/);
});

test("names of ~/.ssh/config, an agent's keys, and keys with a passphrase are used", { skip }, async () => {
  await using other = temporaryFolder();
  const ssh = other.join(".ssh");
  fs.mkdirSync(ssh);
  const [key, locked] = [`${server.home}/.ssh/id_ed25519`, other.join("locked")];
  fs.copyFileSync(`${server.home}/.ssh/known_hosts`, `${ssh}/known_hosts`);
  const look = async (word: string, more: Partial<StoreAccess> = {}): Promise<void> => {
    await using store = await openStore(word, { ...access(other.path), ...more });
    assert.equal((await store.find("config"))?.kind, "file");
  };
  const data = server.folder.path;
  await assert.rejects(look(placeOf(data)), /there is no key to show/);
  await look(placeOf(data), { identity: key });
  const settings = [`Host vault`, `  HostName 127.0.0.1`, `  Port ${server.port}`, `  User ${server.user}`];
  fs.writeFileSync(`${ssh}/config`, [...settings, `  IdentityFile ${key}`, ""].join("\n"));
  await look(`sftp://vault${data}`);
  fs.copyFileSync(key, locked);
  fs.chmodSync(locked, 0o600);
  runPeer("ssh-keygen", ["-q", "-p", "-P", "", "-N", "open sesame", "-f", locked]);
  await look(placeOf(data), { identity: locked, password: async () => "open sesame" });
  await assert.rejects(look(placeOf(data), { identity: locked }), /its passphrase is needed/);
  const wrong = look(placeOf(data), { identity: locked, password: async () => "open barley" });
  await assert.rejects(wrong, /the passphrase is wrong/);
  const socket = other.join("agent");
  const agent = await startServer("ssh-agent", ["-D", "-a", socket], /SSH_AUTH_SOCK/);
  try {
    runPeer("ssh-add", ["-q", key], { env: { SSH_AUTH_SOCK: socket } });
    await look(placeOf(data), {
      env: { HOME: other.join("nobody"), SSH_AUTH_SOCK: socket },
      acceptHost: server.fingerprint,
    });
  } finally {
    await endServer(agent);
  }
});

test("of a backup of 2 GiB little more is fetched than the file that is taken out", { skip }, async () => {
  const home = server.folder.join("data", "reach");
  const { path } = await save(await reachDisk(folder), home, { volumeBytes: 16_000_000 });
  await assertReach(folder, placeOf(path), access());
});

test("the target becomes full: that is said, and nothing looks finished", { skip: skip || noSmallFolder }, async () => {
  await using small = smallFolder(server.folder.join("data", "full"), 3);
  await assert.rejects(save(disk, placeOf(small.path), { ...access(), volumeBytes: 2 ** 20 }), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, "no-space", error.message);
    return true;
  });
  // What is kept to be resumed does not look finished.
  assert.deepEqual(
    fs.readdirSync(small.path).filter((name) => !name.endsWith(".part")),
    [],
  );
});

test("the server goes while a disk is saved: that is said, and nothing looks finished", { skip }, async () => {
  const home = placeOf(server.folder.join("data", "cut"));
  let gone: Promise<void> | undefined;
  const saving = save(disk, home, access(), {
    onProgress: ({ doneBytes }) => {
      if (doneBytes > 2 ** 22) gone ??= server.kill();
    },
  });
  await assert.rejects(
    saving,
    (error) => error instanceof Failure && /connection was lost|nothing answers/.test(error.message),
  );
  await gone;
  await server.start();
  const left = await listBackups(home, access());
  assert.deepEqual(
    left.filter(({ isFinished }) => isFinished),
    [],
  );
  const { path } = await save(disk, home, { ...access(), isResumed: true });
  const checked = await checkBackup(path, { ...access(), onProblem: async ({ message }) => assert.fail(message) });
  assert.equal(checked.hasStructure, true);
});

test("connections are lost while a disk is restored: it goes on", { skip }, async () => {
  const home = server.folder.join("data", "dropped");
  const saved = await save(disk, home, { volumeBytes: 2 ** 20 });
  await restoreBackup({ backup: saved.path, target: folder.join("whole"), force: false, ...access() });
  let drops = 0;
  await restoreBackup(
    { backup: placeOf(saved.path), target: folder.join("broken"), force: false, ...access() },
    {
      onProgress: ({ doneBytes }) => {
        if (doneBytes > (drops + 1) * 2 ** 20 && drops < 3) {
          drops++;
          server.dropConnections();
        }
      },
    },
  );
  assert.equal(drops, 3);
  assert.ok(fs.readFileSync(folder.join("broken")).equals(fs.readFileSync(folder.join("whole"))));
});
