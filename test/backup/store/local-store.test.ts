import { after } from "node:test";
import { temporaryFolder } from "../../temp.ts";
import { testStore } from "./contract.ts";

const folder = temporaryFolder();
let count = 0;

after(() => folder[Symbol.asyncDispose]());

testStore({
  kind: "a folder",
  newPlace: async () => folder.join(`place${++count}`),
  access: () => ({ env: {} }),
});
