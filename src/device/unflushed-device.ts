import { SliceDevice } from "./slice.ts";

/** Nothing is lost where nothing was before: whoever made the device flushes it once it is whole. */
export class UnflushedDevice extends SliceDevice {
  override async flush(): Promise<void> {}
}
