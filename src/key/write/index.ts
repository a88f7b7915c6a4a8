export { createKeyOnDevice, type KeyOnDevice } from "./create-on-device.ts";
export {
  writeKey,
  type KeyWritePlan,
  type WriteKeyOptions,
  type WriteKeyRequest,
  type WrittenKey,
} from "./write-key.ts";
