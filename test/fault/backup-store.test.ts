/** A target that fails at any moment: a backup is there whole, or none that looks like one. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";
import { checkBackup, listBackups } from "../../src/backup/index.ts";
import { WrappedStore, type StoreWriter } from "../../src/backup/store/index.ts";
import { Failure } from "../../src/base/index.ts";
import { noise, save } from "../backup/sample-disk.ts";
import { temporaryFolder } from "../temp.ts";

const env = {};

/** The n-th call that changes something does not happen, and with `isGone` none after it. */
class FailingStore extends WrappedStore {
  left = Infinity;
  isGone = false;

  #count(): void {
    this.left--;
    if (this.left === 0 || (this.isGone && this.left < 0))
      throw new Failure("no-space", "cannot write: no space is left");
  }

  override async makeFolder(path: string): Promise<void> {
    this.#count();
    return super.makeFolder(path);
  }

  override async create(path: string): Promise<StoreWriter> {
    this.#count();
    const writer = await super.create(path);
    return {
      write: async (bytes) => {
        this.#count();
        await writer.write(bytes);
      },
      commit: async () => {
        this.#count();
        await writer.commit();
      },
      [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
    };
  }

  override async put(path: string, bytes: Uint8Array): Promise<void> {
    this.#count();
    return super.put(path, bytes);
  }

  override async flush(folder: string): Promise<void> {
    this.#count();
    return super.flush(folder);
  }

  override async rename(from: string, to: string): Promise<void> {
    this.#count();
    return super.rename(from, to);
  }

  override async remove(path: string): Promise<void> {
    if (this.isGone) this.#count();
    return super.remove(path);
  }
}

for (const isGone of [false, true]) {
  test(`the n-th change of the target fails${isGone ? " and so does all after it" : ""}, for every n`, async () => {
    await using folder = temporaryFolder();
    const disk = folder.join("disk");
    fs.writeFileSync(disk, noise(3 * 2 ** 20, 9));
    const home = folder.join("home");
    for (let nth = 1; ; nth++) {
      let failing: FailingStore | undefined;
      const saving = save(disk, home, {
        env,
        name: `try${nth}`,
        volumeBytes: 2 ** 20,
        through: (store) => {
          failing = new FailingStore(store);
          failing.left = nth;
          failing.isGone = isGone;
          return failing;
        },
      });
      const error: unknown = await saving.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      const listed = fs.existsSync(home) ? await listBackups(home, { env }) : [];
      if (error === undefined) {
        assert.ok(nth > 15, `${nth} changes`);
        assert.deepEqual(
          listed.filter(({ isFinished }) => isFinished).map(({ name }) => name),
          [`try${nth}`],
        );
        await checkBackup(`${home}/try${nth}`, { env, onProblem: async ({ message }) => assert.fail(message) });
        break;
      }
      assert.ok(error instanceof Failure && error.code === "no-space", inspect(error));
      // What is kept to be resumed does not look finished.
      assert.deepEqual(
        listed.filter(({ isFinished, name }) => isFinished && name === `try${nth}`),
        [],
      );
      if (isGone) continue;
      // What stays of it is gone on with, as if nothing had been.
      const { path } = await save(disk, home, { env, name: `try${nth}`, volumeBytes: 2 ** 20, isResumed: true });
      await checkBackup(path, { env, onProblem: async ({ message }) => assert.fail(message) });
      fs.rmSync(path, { recursive: true });
    }
  });
}
