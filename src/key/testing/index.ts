export { testKey, type TestKeyRequest, type Trial, type TriedEntry } from "./test-key.ts";
