import { after, test } from "node:test";
import { temporaryFolder } from "../../temp.ts";
import { save } from "../sample-disk.ts";
import { testStore } from "./contract.ts";
import { assertReach, reachDisk } from "./reach.ts";

const folder = temporaryFolder();
let count = 0;

after(() => folder[Symbol.asyncDispose]());

testStore({
  kind: "a folder",
  newPlace: async () => folder.join(`place${++count}`),
  access: () => ({ env: {} }),
});

test("of a backup of 2 GiB little more is read than the file that is taken out", async () => {
  const { path } = await save(await reachDisk(folder), folder.join("reach"), { volumeBytes: 16_000_000 });
  await assertReach(folder, path, { env: {} });
});
